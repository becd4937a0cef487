"""The facts of one module: its functions, classes and imports, lowered to terms and operations.

A summary says what the code says, never what a library means. Nothing here parses, resolves a name or knows another
module. All of it is plain data without cycles, which the collector of garbage need not look at.

Ranges are packed into one integer (`pack`): 1-based lines and 0-based UTF-8 byte columns, as `ast` gives them.
`order` counts evaluation steps of one function, so that "before" and "after" can be asked of any two facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, IntEnum
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias

from msgspec import Struct

Range: TypeAlias = int


def pack(line: int, column: int, end_line: int, end_column: int) -> Range:
    """One integer for a source range; columns above 65,535 are cut (such lines are no code a person reads)."""
    return (line << 56) | (min(column, 0xFFFF) << 40) | (end_line << 16) | min(end_column, 0xFFFF)


def unpack(packed: Range) -> tuple[int, int, int, int]:
    """`(line, column, end_line, end_column)` of a packed range."""
    return packed >> 56, (packed >> 40) & 0xFFFF, (packed >> 16) & 0xFFFFFF, packed & 0xFFFF


def rows(packed: Range) -> tuple[int, int]:
    """The first and the last line of a packed range."""
    return packed >> 56, (packed >> 16) & 0xFFFFFF


def covers(outer: Range, inner: Range) -> bool:
    """Whether one range holds another."""
    line, column, end_line, end_column = unpack(outer)
    at, start, end_at, end = unpack(inner)
    return (line, column) <= (at, start) and (end_at, end) <= (end_line, end_column)


class Node(Struct, frozen=True, gc=False):
    """A term or an operation."""


# --- terms: what an expression is made of -------------------------------------------------------------------------


class Const(Node, frozen=True, gc=False):
    value: str | bytes | int | float | complex | bool | None
    span: Range


class Name(Node, frozen=True, gc=False):
    id: str
    span: Range


class Attr(Node, frozen=True, gc=False):
    base: Term
    name: str
    span: Range


class Item(Node, frozen=True, gc=False):
    base: Term
    key: Term
    span: Range


class Star(Node, frozen=True, gc=False):
    value: Term


class Call(Node, frozen=True, gc=False):
    func: Term
    args: tuple[Term, ...]
    keywords: tuple[tuple[str | None, Term], ...]  # None is `**mapping`
    span: Range
    order: int


class Choice(Node, frozen=True, gc=False):
    """One of several values: `or`, `and`, `if`."""

    op: str
    test: Term | None  # of `if` only
    parts: tuple[Term, ...]
    span: Range


class Blend(Node, frozen=True, gc=False):
    """A value computed from all parts: f-strings, arithmetic, slices, `+=`."""

    op: str
    parts: tuple[Term, ...]
    span: Range


class Test(Node, frozen=True, gc=False):
    """A truth value about its parts: comparisons and `not`."""

    op: str
    parts: tuple[Term, ...]
    span: Range


class Display(Node, frozen=True, gc=False):
    """A new list, tuple, set or dict, also from a comprehension; a missing key is `**mapping`."""

    kind: str
    keys: tuple[Term | None, ...]  # of dicts only
    values: tuple[Term, ...]
    span: Range


class Part(Node, frozen=True, gc=False):
    """An element of a value: by position (destructuring), any element (`for`), or what `with` enters."""

    value: Term
    index: int  # ELEMENT, ENTERED or a position


class Await(Node, frozen=True, gc=False):
    value: Term
    order: int


class Yield(Node, frozen=True, gc=False):
    value: Term
    order: int


class FunctionRef(Node, frozen=True, gc=False):
    index: int
    span: Range


class ClassRef(Node, frozen=True, gc=False):
    index: int
    span: Range


class Imported(Node, frozen=True, gc=False):
    """`from module import name` (name is empty for `import module`); level counts the leading dots."""

    module: str
    name: str
    level: int


ELEMENT, ENTERED = -1, -2

Term: TypeAlias = (
    Const
    | Name
    | Attr
    | Item
    | Star
    | Call
    | Choice
    | Blend
    | Test
    | Display
    | Part
    | Await
    | Yield
    | FunctionRef
    | ClassRef
    | Imported
)


# --- operations: what a function does, in order --------------------------------------------------------------------


class How(IntEnum):
    """How a target gets its value."""

    ASSIGN = 0
    AUGMENT = 1
    LOOP = 2
    WITH = 3
    DEFINE = 4
    IMPORT = 5
    EXCEPT = 6
    MATCH = 7
    DECLARE = 8  # an annotation without a value


class Bind(Node, frozen=True, gc=False):
    target: Term
    value: Term
    how: How
    span: Range  # of the whole statement
    block: int
    order: int
    annotation: Term | None = None


class Drop(Node, frozen=True, gc=False):
    target: Term
    span: Range
    block: int
    order: int


class Eval(Node, frozen=True, gc=False):
    term: Term
    span: Range
    block: int
    order: int


class Return(Node, frozen=True, gc=False):
    value: Term
    span: Range
    block: int
    order: int


Op: TypeAlias = Bind | Drop | Eval | Return


def inside(node: Term | Op) -> Sequence[Term]:
    """The terms that a term or an operation is directly made of."""
    return _INSIDE[node.__class__](node)


def _insider(kind: type[Node]) -> Callable[[Any], Sequence[Term]]:
    """What gives the terms that a node of a kind is made of: most have none, or one that is never missing."""
    holding = {name: said for name, said in kind.__annotations__.items() if "Term" in said}
    if not holding:
        return lambda node: ()
    fields = [attrgetter(name) for name in holding]
    if [*holding.values()] == ["Term"]:
        (only,) = fields
        return lambda node: (only(node),)
    return partial(_inside, fields)


def _inside(fields: Sequence[Callable[[Node], Any]], node: Node) -> list[Term]:
    found: list[Term] = []
    for field in fields:
        held = field(node)
        if held.__class__ is tuple:
            for part in held:
                term = part[1] if part.__class__ is tuple else part  # of a keyword the value
                if term is not None:
                    found.append(term)
        elif held is not None:
            found.append(held)
    return found


_INSIDE = {kind: _insider(kind) for kind in (*Term.__args__, *Op.__args__)}
LEAVES: frozenset[type[Node]] = frozenset((Const, Name, FunctionRef, ClassRef, Imported))
"""The kinds of terms that hold none: most terms of a program."""


def walk(nodes: Iterable[Term | Op]) -> Iterator[Term | Op]:
    """Terms and operations, and all that they are made of."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        stack += inside(node)


class BlockKind(IntEnum):
    """What opened a block."""

    BODY = 0
    IF = 1
    ELSE = 2  # of if, while, for and try
    LOOP = 3
    TRY = 4
    EXCEPT = 5
    FINALLY = 6
    WITH = 7
    CASE = 8


class Block(Struct, frozen=True, gc=False):
    """Statements; `peer` groups the arms of one `if`, `match` or `try`, `exits` when it never falls through."""

    parent: int
    kind: BlockKind
    term: Term | None
    peer: int
    exits: bool
    start: int
    end: int


class ParamKind(IntEnum):
    """How an argument reaches a parameter."""

    POSITIONAL = 0  # also by keyword
    KEYWORD = 1
    VAR_POSITIONAL = 2
    VAR_KEYWORD = 3
    POSITIONAL_ONLY = 4


class Param(Struct, frozen=True, gc=False):
    name: str
    kind: ParamKind
    default: Term | None
    annotation: Term | None
    span: Range


class Kind(Enum):
    """What a body of operations belongs to."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    LAMBDA = "lambda"


class Function(Struct, frozen=True, gc=False):
    """A function, a lambda, a class body or the module body (index 0)."""

    index: int
    name: str
    qualname: str
    kind: Kind
    span: Range
    head: Range  # the line a person reads first: `def` up to the colon's line
    parent: int  # the enclosing function; -1 for the module body
    owner: int  # the class whose body defines this function; -1 for none
    params: tuple[Param, ...]
    decorators: tuple[Term, ...]
    returns: Term | None
    ops: tuple[Op, ...]
    blocks: tuple[Block, ...]
    bound: frozenset[str]
    globals: frozenset[str]
    nonlocals: frozenset[str]
    suspends: tuple[int, ...]  # orders of await, async for, async with and yield
    is_async: bool
    is_generator: bool
    stub: bool  # the body is a docstring, `pass`, `...` or `raise NotImplementedError`


class Class(Struct, frozen=True, gc=False):
    """A class statement; `body` is the index of its body among the functions."""

    index: int
    name: str
    qualname: str
    span: Range
    head: Range
    parent: int
    body: int
    bases: tuple[Term, ...]
    keywords: tuple[tuple[str | None, Term], ...]
    decorators: tuple[Term, ...]
    methods: tuple[tuple[str, int], ...]


class Head(Struct, frozen=True, gc=False):
    """What is known of a module without a look at its code."""

    path: str
    digest: str
    imports: tuple[Imported, ...]
    words: frozenset[str]  # what stands behind a dot somewhere, maybe in a comment, or may be asked for by its name
    lines: int
    count: int  # of `def` statements
    signatures: frozenset[
        tuple[str, ...]
    ]  # of each function the name and its parameters'; of methods also without the first
    classes: frozenset[tuple[str, ...]]  # the name of each, and the names that the head of its statement is made of
    namesake: bool = False  # whether it imports its own name, as `celery.py` does, which is that of something else


class Code(Struct, frozen=True, gc=False):
    """The functions and classes of a module."""

    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    failed: str = ""  # why this is not the module's code, but that of an empty one


def attributes(code: Code) -> frozenset[str]:
    """Every attribute name that the code reads, writes or deletes."""
    found: list[Term | Op | None] = []
    for function in code.functions:
        found += (*function.ops, *function.decorators, function.returns, *(block.term for block in function.blocks))
        found += [term for param in function.params for term in (param.default, param.annotation)]
    for one in code.classes:
        found += (*one.bases, *one.decorators, *(value for _, value in one.keywords))
    return frozenset([node.name for node in walk(filter(None, found)) if isinstance(node, Attr)])


class ModuleSummary:
    """All that later stages know of one module; its code is read, or lowered, when it is first asked for."""

    __slots__ = ("_code", "_read", "head")

    def __init__(self, head: Head, code: Code | Callable[[], Code]) -> None:
        self.head = head
        self._code = code if isinstance(code, Code) else None
        self._read = code if not isinstance(code, Code) else None

    @property
    def code(self) -> Code:
        """The functions and classes."""
        if self._code is None:
            assert self._read is not None
            self._code, self._read = self._read(), None
        return self._code

    @property
    def is_read(self) -> bool:
        """Whether anybody has asked for the code."""
        return self._code is not None

    @property
    def functions(self) -> tuple[Function, ...]:
        """The module's body, all functions, lambdas and class bodies, by index."""
        return self.code.functions

    @property
    def classes(self) -> tuple[Class, ...]:
        """The class statements, by index."""
        return self.code.classes

    @property
    def path(self) -> str:
        """The file, as the program names it."""
        return self.head.path

    @property
    def digest(self) -> str:
        """Identifies the text."""
        return self.head.digest

    @property
    def imports(self) -> tuple[Imported, ...]:
        """All imports, wherever they stand."""
        return self.head.imports

    @property
    def words(self) -> frozenset[str]:
        """All that may be the name of an attribute that is read, written or deleted, and some that is none."""
        return self.head.words

    @property
    def lines(self) -> int:
        """The number of lines."""
        return self.head.lines
