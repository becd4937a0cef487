"""The facts of one module: its functions, classes and imports, lowered to terms and operations.

A summary says what the code says, never what a library means. Nothing here parses, resolves a name or knows another
module. Terms and operations are named tuples because a program of a million lines holds millions of them.

Ranges are packed into one integer (`pack`): 1-based lines and 0-based UTF-8 byte columns, as `ast` gives them.
`order` counts evaluation steps of one function, so that "before" and "after" can be asked of any two facts.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from operator import attrgetter
from typing import NamedTuple, Self, TypeAlias

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


# --- terms: what an expression is made of -------------------------------------------------------------------------


class Const(NamedTuple):
    value: str | bytes | int | float | complex | bool | None
    span: Range


class Name(NamedTuple):
    id: str
    span: Range


class Attr(NamedTuple):
    base: Term
    name: str
    span: Range


class Item(NamedTuple):
    base: Term
    key: Term
    span: Range


class Star(NamedTuple):
    value: Term


class Call(NamedTuple):
    func: Term
    args: tuple[Term, ...]
    keywords: tuple[tuple[str | None, Term], ...]  # None is `**mapping`
    span: Range
    order: int


class Choice(NamedTuple):
    """One of several values: `or`, `and`, `if`."""

    op: str
    test: Term | None  # of `if` only
    parts: tuple[Term, ...]
    span: Range


class Blend(NamedTuple):
    """A value computed from all parts: f-strings, arithmetic, slices, `+=`."""

    op: str
    parts: tuple[Term, ...]
    span: Range


class Test(NamedTuple):
    """A truth value about its parts: comparisons and `not`."""

    op: str
    parts: tuple[Term, ...]
    span: Range


class Display(NamedTuple):
    """A new list, tuple, set or dict, also from a comprehension; a missing key is `**mapping`."""

    kind: str
    keys: tuple[Term | None, ...]  # of dicts only
    values: tuple[Term, ...]
    span: Range


class Part(NamedTuple):
    """An element of a value: by position (destructuring), any element (`for`), or what `with` enters."""

    value: Term
    index: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs; ELEMENT, ENTERED or a position


class Await(NamedTuple):
    value: Term
    order: int


class Yield(NamedTuple):
    value: Term
    order: int


class FunctionRef(NamedTuple):
    index: int  # type: ignore[assignment]  # as above
    span: Range


class ClassRef(NamedTuple):
    index: int  # type: ignore[assignment]  # as above
    span: Range


class Imported(NamedTuple):
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


class Bind(NamedTuple):
    target: Term
    value: Term
    how: How
    span: Range  # of the whole statement
    block: int
    order: int
    annotation: Term | None = None


class Drop(NamedTuple):
    target: Term
    span: Range
    block: int
    order: int


class Eval(NamedTuple):
    term: Term
    span: Range
    block: int
    order: int


class Return(NamedTuple):
    value: Term
    span: Range
    block: int
    order: int


Op: TypeAlias = Bind | Drop | Eval | Return


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


class Block(NamedTuple):
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


class Param(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class Function:
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


@dataclass(frozen=True, slots=True)
class Class:
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


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a module without a look at its code."""

    path: str
    digest: str
    imports: tuple[Imported, ...]
    attributes: frozenset[str]  # every attribute name that is read, written or deleted
    lines: int
    count: int  # of functions
    parameters: frozenset[tuple[str, ...]]  # the names of each function's parameters; of methods also without the first
    class_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Code:
    """The functions and classes of a module."""

    functions: tuple[Function, ...]
    classes: tuple[Class, ...]


class ModuleSummary:
    """All that later stages know of one module; what is kept of its code may be read when it is first asked for."""

    __slots__ = ("_code", "_read", "head")

    def __init__(self, head: Head, code: Code | Callable[[], Code]) -> None:
        self.head = head
        self._code = code if isinstance(code, Code) else None
        self._read = code if not isinstance(code, Code) else None

    @classmethod
    def of(
        cls, path: str, digest: str, code: Code, imports: tuple[Imported, ...], names: frozenset[str], lines: int
    ) -> Self:
        """The summary of a module that has just been read; `names` are its attributes."""
        parameters: set[tuple[str, ...]] = set()
        for function in code.functions:
            params = tuple([param.name for param in function.params])
            parameters.add(params)
            if function.owner >= 0:
                parameters.add(params[1:])
        classes = frozenset([one.name for one in code.classes])
        return cls(Head(path, digest, imports, names, lines, len(code.functions), frozenset(parameters), classes), code)

    @property
    def code(self) -> Code:
        """The functions and classes."""
        if self._code is None:
            assert self._read is not None
            self._code, self._read = self._read(), None
        return self._code

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
    def attributes(self) -> frozenset[str]:
        """Every attribute name that is read, written or deleted."""
        return self.head.attributes

    @property
    def lines(self) -> int:
        """The number of lines."""
        return self.head.lines


# Pickling calls a method in Python for every named tuple; said this way, the same takes C alone and half the time.
for _kind in (*Term.__args__, *Op.__args__, Block, Param):
    _kind._plain = property(tuple)
    copyreg.pickle(_kind, attrgetter("__class__", "_plain"))
