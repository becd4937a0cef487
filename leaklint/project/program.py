"""Summaries to a program: modules by name as projects lay them out, functions with their reaching definitions.

Nothing here evaluates a term or knows a library.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.finding import Span
from leaklint.index.skim import quoted_names
from leaklint.index.summary import (
    Attr,
    Bind,
    Block,
    BlockKind,
    Class,
    Function,
    FunctionRef,
    Kind,
    ModuleSummary,
    Name,
    ParamKind,
    Range,
    Return,
    Term,
    attributes,
    inside,
    unpack,
    walk,
)

_CLASS, _MODULE, _LOOP, _TRY = Kind.CLASS, Kind.MODULE, BlockKind.LOOP, BlockKind.TRY  # looked up once
_ROOT = "src"  # a folder for packages, by convention


class Module:
    """One module of the program."""

    def __init__(self, summary: ModuleSummary, text: str) -> None:
        self.summary = summary
        self.path = summary.path
        self.text = text  # for spans and for LibCST; no fact may come from it
        self.quoted = False  # whether the text has said what the summary does not
        self.dotted_names: frozenset[str] | None = None  # what `dotted` gave
        self.asked: dict[str, bool] = {}  # whether words stand in the text, as far as anybody wanted to know
        self.wanted: set[str] = set()  # words that anybody looked for among those that may be attributes
        self._rows: list[str] | None = None
        parts = summary.path.removesuffix(".py").split("/")
        self.is_package = parts[-1] == "__init__"
        if self.is_package:
            parts.pop()
        self.parts = tuple(parts)
        self.name = ".".join(parts)

    @cached_property
    def functions(self) -> tuple[FunctionInfo, ...]:
        """The module's body, all functions, lambdas and class bodies, by index."""
        return tuple([FunctionInfo(self, function) for function in self.summary.functions])

    @cached_property
    def classes(self) -> tuple[ClassInfo, ...]:
        """The class statements, by index."""
        return tuple([ClassInfo(self, one) for one in self.summary.classes])

    def mentions(self, word: str) -> bool:
        """Whether a word stands anywhere in the text, maybe in a comment: spares a search, and is no fact."""
        found = self.asked.get(word)
        if found is None:
            found = self.asked[word] = word in self.text
        return found

    def may_name(self, attribute: str) -> bool:
        """Whether an attribute may be named somewhere, of whatever it is: spares a search, and is no fact."""
        self.wanted.add(attribute)
        return attribute in self.summary.words

    def names(self, attribute: str) -> bool:
        """Whether an attribute is read, written or deleted somewhere, of whatever it is."""
        return self.may_name(attribute) and attribute in self.attributes

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Every attribute name that is read, written or deleted."""
        return attributes(self.summary.code)

    def dotted(self) -> frozenset[str]:
        """What is quoted and may be the dotted name of a module, begin one, or be of something in one."""
        if self.dotted_names is None:
            self.dotted_names = quoted_names(self.text)
        return self.dotted_names

    def span(self, packed: Range) -> Span:
        """A finding's span: code points, columns from 1."""
        line, column, end_line, end_column = unpack(packed)
        return Span(self.path, line, self._points(line, column) + 1, end_line, self._points(end_line, end_column) + 1)

    def source(self, packed: Range) -> str:
        """The source text of a range, white space folded."""
        line, column, end_line, end_column = unpack(packed)
        rows = self._lines()[line - 1 : end_line]
        if not rows:
            return ""
        self.quoted = True
        encoded = [r.encode("utf-8", "surrogatepass") for r in rows]
        encoded[-1] = encoded[-1][:end_column]
        encoded[0] = encoded[0][column:]
        return " ".join(b"\n".join(encoded).decode("utf-8", "replace").split())

    def lines_with(self, words: Collection[str]) -> list[int]:
        """The lines, in order, in which one of some words stands, alone or as a part of another."""
        text = _with_plain_ends(self.text)
        found: set[int] = set()
        for word in words:
            line, counted, at = 1, 0, text.find(word)
            while at >= 0:
                line, counted = line + text.count("\n", counted, at), at
                found.add(line)
                at = text.find(word, at + 1)
        return sorted(found)

    def _points(self, line: int, column: int) -> int:
        rows = self._lines()
        if line > len(rows) or rows[line - 1].isascii():
            return column
        self.quoted = True
        return len(rows[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "replace"))

    def _lines(self) -> list[str]:
        if self._rows is None:
            self._rows = _with_plain_ends(self.text).split("\n")
        return self._rows


def _with_plain_ends(text: str) -> str:
    """A text with one kind of line end; `ast` ends lines at these three only."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Signature(NamedTuple):
    """How arguments find parameters."""

    positional: tuple[str, ...]
    named: frozenset[str]  # that may be given by keyword
    rest: str | None  # of `*args`
    more: str | None  # of `**kwargs`


_UNREACHED: dict[tuple[str, int], tuple[tuple[int, ...], bool]] = {}  # for ever empty, as the next
_UNUSED: dict[int | str, int] = {}


class FunctionInfo:
    """A function and what is worked out about it once."""

    __slots__ = (
        "_binds",
        "_defined_at",
        "_free_names",
        "_reach",
        "_scopes",
        "_signature",
        "_users",
        "_wraps",
        "function",
        "locals",
        "module",
        "qualname",
    )

    def __init__(self, module: Module, function: Function) -> None:
        self.module = module
        self.function = function
        self.qualname = f"{module.name}.{function.qualname}"
        outer = function.globals or function.nonlocals
        self.locals = function.bound - function.globals - function.nonlocals if outer else function.bound
        self._binds: dict[str, list[int]] | None = None
        self._defined_at = -1
        self._free_names: tuple[str, ...] | None = None
        self._reach = _UNREACHED  # most functions of a large program are never run: they share what is empty
        self._scopes: dict[str, int] | None = None
        self._signature: Signature | None = None
        self._users = _UNUSED
        self._wraps: bool | None = None

    @property
    def param_names(self) -> frozenset[str]:
        """The names of its parameters."""
        return frozenset([p.name for p in self.function.params])

    @property
    def signature(self) -> Signature:
        """The parameters by the ways arguments reach them."""
        if self._signature is None:
            params = self.function.params
            of = {kind: [p.name for p in params if p.kind is kind] for kind in ParamKind}
            self._signature = Signature(
                tuple(p.name for p in params if p.kind in (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)),
                frozenset(of[ParamKind.POSITIONAL] + of[ParamKind.KEYWORD]),
                next(iter(of[ParamKind.VAR_POSITIONAL]), None),
                next(iter(of[ParamKind.VAR_KEYWORD]), None),
            )
        return self._signature

    @property
    def wraps(self) -> bool:
        """Whether it gives back a function that it makes, as decorators do; not what it was given, or an object."""
        if self._wraps is None:
            made: set[str] = set()
            for op in self.function.ops:
                if isinstance(op, Bind) and isinstance(op.value, FunctionRef) and isinstance(op.target, Name):
                    made.add(op.target.id)
            returned = [op.value for op in self.function.ops if isinstance(op, Return)]
            self._wraps = any(isinstance(v, FunctionRef) or not made.isdisjoint(_names(v)) for v in returned)
        return self._wraps

    @property
    def defined_at(self) -> int:
        """The position in the defining body from which its names are looked up: its end sees all bindings."""
        if self._defined_at < 0:
            self._defined_at = self._definition()
        return self._defined_at

    def _definition(self) -> int:
        assert self.parent is not None
        ops = self.parent.function.ops
        for position in self.parent.binds().get(self.function.name, ()):
            if getattr(ops[position].value, "index", -1) == self.function.index:  # type: ignore[union-attr]
                return position
        return max(len(ops) - 1, 0)

    @property
    def free_names(self) -> tuple[str, ...]:
        """The names in its operations that it does not bind, sorted."""
        if self._free_names is None:
            names = {node.id for node in walk(self.function.ops) if isinstance(node, Name)}
            self._free_names = tuple(sorted(names - self.function.bound))
        return self._free_names

    def scope(self, name: str) -> int:
        """How many scopes further out a name that is not local is bound in a function; -1 when in none."""
        if self._scopes is None:
            self._scopes = {}
        known = self._scopes.get(name)
        if known is None:
            known = self._scopes[name] = self._scope(name)
        return known

    def _scope(self, name: str) -> int:
        if name in self.function.globals:
            return -1
        hops, info = 1, self.parent
        while info is not None and info.function.kind is not _MODULE:
            function = info.function
            if function.kind is not _CLASS and name in function.bound and name not in function.nonlocals:
                return hops
            hops, info = hops + 1, info.parent
        return -1

    @property
    def parent(self) -> FunctionInfo | None:
        """The function, class body or module body that defines this one."""
        index = self.function.parent
        return None if index < 0 else self.module.functions[index]

    @property
    def owner(self) -> ClassInfo | None:
        """The class whose body defines this function."""
        index = self.function.owner
        return None if index < 0 or self.function.kind is _CLASS else self.module.classes[index]

    def binds(self) -> dict[str, list[int]]:
        """Positions in `ops` at which each local name gets a value."""
        if self._binds is None:
            found: dict[str, list[int]] = defaultdict(list)
            for position, op in enumerate(self.function.ops):
                if op.__class__ is Bind and op.target.__class__ is Name:
                    found[op.target.id].append(position)
            self._binds = dict(found)
        return self._binds

    def reaching(self, name: str, position: int) -> tuple[tuple[int, ...], bool]:
        """Which bindings of a local name may be seen by `ops[position]`.

        Gives their positions, and whether the value the function started with (a parameter's) may be seen too.
        """
        key = (name, position)
        known = self._reach.get(key)
        if known is None:
            if self._reach is _UNREACHED:
                self._reach, self._users = {}, {}
            known = self._reach[key] = self._reaching(name, position)
            seen: tuple[int | str, ...] = (*known[0], name) if known[1] else known[0]
            for bind in seen:
                self._users[bind] = self._users.get(bind, 0) | 1 << position
        return known

    def users(self, bind: int | str) -> int:
        """Operations, a bit for each, that were seen to use the binding at a position, or a name's initial value."""
        return self._users.get(bind, 0)

    def _reaching(self, name: str, position: int) -> tuple[tuple[int, ...], bool]:
        positions = self.binds().get(name)
        if not positions:
            return (), True
        ops, blocks = self.function.ops, self.function.blocks
        use = ops[position].block
        found: list[int] = []
        initial = True
        for bind in reversed(positions):
            if bind >= position:
                continue
            block = ops[bind].block
            if within(blocks, use, block):
                found.append(bind)
                initial = False
                break
            if not exclusive(blocks, use, block) and not _left(blocks, block, use):
                found.append(bind)
        loop = _outermost_loop(blocks, use)
        if loop >= 0:
            found.extend(
                b for b in positions if b >= position and within(blocks, ops[b].block, loop) and b not in found
            )
        return tuple(found), initial


def _names(term: Term) -> Iterable[str]:
    if isinstance(term, Name):
        yield term.id
        return
    for part in inside(term):
        yield from _names(part)


class ClassInfo:
    """A class statement of the program."""

    __slots__ = ("fields", "methods", "module", "qualname", "summary")

    def __init__(self, module: Module, summary: Class) -> None:
        self.module = module
        self.summary = summary
        self.qualname = f"{module.name}.{summary.qualname}"
        self.methods = {name: module.functions[index] for name, index in summary.methods}
        self.fields: dict[str, Term] = {
            op.target.id: op.annotation
            for op in module.functions[summary.body].function.ops
            if isinstance(op, Bind) and op.annotation is not None and isinstance(op.target, Name)
        }  # names annotated in the class body

    def assigns(self, name: str) -> bool:
        """Whether a method of the class sets an attribute of that name on its own object."""
        for method in self.methods.values():
            own = method.function.params[0].name if method.function.params else ""
            for op in method.function.ops:
                if isinstance(op, Bind) and isinstance(op.target, Attr) and op.target.name == name:
                    if isinstance(op.target.base, Name) and op.target.base.id == own:
                        return True
        return False


# --- blocks ---------------------------------------------------------------------------------------------------------


def ancestors(blocks: tuple[Block, ...], block: int) -> Iterable[int]:
    """A block and all that enclose it, innermost first."""
    while block >= 0:
        yield block
        block = blocks[block].parent


def within(blocks: tuple[Block, ...], inner: int, outer: int) -> bool:
    """Whether `inner` is `outer` or lies inside it."""
    while inner > outer:  # blocks are numbered in source order, parents first
        inner = blocks[inner].parent
    return inner == outer


def exclusive(blocks: tuple[Block, ...], a: int, b: int) -> bool:
    """Whether two blocks lie in different arms of one `if` or `match`."""
    arms = {blocks[x].peer: x for x in ancestors(blocks, a) if blocks[x].peer >= 0}
    for x in ancestors(blocks, b):
        other = arms.get(blocks[x].peer)
        if blocks[x].peer >= 0 and other is not None and other != x:
            kinds = {blocks[x].kind, blocks[other].kind}
            return not kinds & {BlockKind.TRY, BlockKind.EXCEPT}
    return False


def _left(blocks: tuple[Block, ...], block: int, use: int) -> bool:
    """Whether control that passed `block` never comes to `use` (the block returns or raises)."""
    return any(
        blocks[x].exits and not within(blocks, use, x) and blocks[x].kind is not _TRY for x in ancestors(blocks, block)
    )


def _outermost_loop(blocks: tuple[Block, ...], block: int) -> int:
    loop = -1
    for x in ancestors(blocks, block):
        if blocks[x].kind is _LOOP:
            loop = x
    return loop


# --- modules as projects lay them out -------------------------------------------------------------------------------


class Program(Struct, dict=True):
    """All modules, and how an import in one finds another."""

    modules: tuple[Module, ...]
    roots: tuple[tuple[str, ...], ...] = ()  # extra source roots from the configuration
    libraries: frozenset[str] = frozenset()  # names of packages that are known to be none of the program's
    package: tuple[str, ...] = ()  # dotted name of the package whose inside all this is
    by_path: dict[str, Module] = field(default_factory=dict)
    _by_parts: dict[tuple[str, ...], Module] = field(default_factory=dict)
    _by_last: dict[str, list[Module]] = field(default_factory=dict)
    _found: dict[tuple[tuple[str, ...], str], Module | None] = field(default_factory=dict)
    _packages: set[tuple[str, ...]] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)  # what was looked for among the words of all modules
    _mentioning: dict[str, list[Module]] = field(default_factory=dict)
    _with_attribute: dict[str, list[Module]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_last: dict[str, list[Module]] = defaultdict(list)
        for module in self.modules:
            module.wanted = self.wanted
            self.by_path[module.path] = module
            self._by_parts[module.parts] = module
            if module.parts:
                by_last[module.parts[-1]].append(module)
            if module.is_package:
                self._packages.add(module.parts)
        self._by_last = dict(by_last)

    def is_module_name(self, text: str) -> bool:
        """Whether a text is a dotted name that ends like a module of the program."""
        head, dot, last = text.rpartition(".")
        return bool(dot) and last in self._by_last and all(part.isidentifier() for part in head.split("."))

    def ends_a_name(self, last: str) -> bool:
        """Whether the dotted name of any module ends so."""
        return last in self._by_last

    def find(self, importer: Module, name: str, level: int) -> Module | None:
        """The module that `import name` in `importer` means; `None` if it is not part of the program.

        Relative imports are exact. Absolute ones are looked for as `sys.path` could have it: from the folders above
        the importer (nearest first, never a package), then from any other source root.
        """
        if level:
            base = importer.parts if importer.is_package else importer.parts[:-1]
            base = base[: len(base) - (level - 1)] if level > 1 else base
            return self._by_parts.get((*base, *(name.split(".") if name else ())))
        if name.rpartition(".")[2] not in self._by_last and not self.package:
            return None  # most imports are of libraries
        key = (importer.parts[:-1], name)
        if key not in self._found:
            self._found[key] = self._absolute(importer, tuple(name.split(".")))
        return self._found[key]

    def mentioning(self, word: str) -> list[Module]:
        """The modules in whose texts a word stands, maybe in a comment: spares a search, and is no fact."""
        found = self._mentioning.get(word)
        if found is None:
            found = self._mentioning[word] = [module for module in self.modules if module.mentions(word)]
        return found

    def with_attribute(self, name: str) -> list[Module]:
        """The modules that may name an attribute, of whatever it is: spares a search, and is no fact."""
        found = self._with_attribute.get(name)
        if found is None:
            found = self._with_attribute[name] = [m for m in self.modules if m.may_name(name)]
        return found

    @cached_property
    def importing(self) -> dict[str, list[Module]]:
        """The modules that import a name from anywhere, by that name."""
        found: dict[str, dict[Module, None]] = {}
        for module in self.modules:
            for imported in module.summary.imports:
                found.setdefault(imported.name, {})[module] = None
        return {name: list(modules) for name, modules in found.items()}

    def at(self, parts: tuple[str, ...]) -> Module | None:
        """The module with these path components."""
        return self._by_parts.get(parts)

    def _absolute(self, importer: Module, wanted: tuple[str, ...]) -> Module | None:
        if self.package and wanted[: len(self.package)] == self.package:
            if module := self._by_parts.get(wanted[len(self.package) :]):
                return module
        folder = importer.parts if importer.is_package else importer.parts[:-1]
        standard = wanted[0] in sys.stdlib_module_names
        for depth in range(len(folder), -1, -1):
            root = folder[:depth]
            if root and (root in self._packages or (standard and not self._is_run_from(root, folder))):
                continue  # the inside of a package is not on sys.path
            module = self._by_parts.get((*root, *wanted))
            if module is not None and module is not importer and not module.summary.head.namesake:
                return module
        for root in self.roots:
            if module := self._by_parts.get((*root, *wanted)):
                return module
        return None if standard else self._elsewhere(importer, wanted) or self._inside(folder, wanted)

    def _is_run_from(self, root: tuple[str, ...], folder: tuple[str, ...]) -> bool:
        """Whether scripts in a folder see what lies beside them first, before the standard library."""
        return root == folder and root[-1] not in self._named

    @cached_property
    def _named(self) -> frozenset[str]:
        """The first parts of what anything imports: a folder of such a name is a package, also without `__init__`."""
        return frozenset([i.module.partition(".")[0] for m in self.modules for i in m.summary.imports if not i.level])

    def _inside(self, folder: tuple[str, ...], wanted: tuple[str, ...]) -> Module | None:
        """From inside a package that is run as a script from its own folder; never where a library has that name."""
        if wanted[0] in self.libraries:
            return None
        for depth in range(len(folder), 0, -1):
            module = self._by_parts.get((*folder[:depth], *wanted))
            if module is not None and not module.summary.head.namesake:
                return module
        return None

    def _elsewhere(self, importer: Module, wanted: tuple[str, ...]) -> Module | None:
        """From a source root beside the importer, as `src/` or another package of a monorepo."""
        candidates = []
        for module in self._by_last.get(wanted[-1], ()):
            root = module.parts[: len(module.parts) - len(wanted)]
            if module.parts[len(root) :] != wanted:
                continue
            if root and root in self._packages and root[-1] != _ROOT:
                continue  # `src/` is a root also where somebody put an `__init__.py` into it
            if len(wanted) == 1 and module.summary.head.namesake:
                continue
            if len(wanted) == 1 and not module.is_package and len(root) > 1:
                continue  # `import redis` must not find `tools/scripts/redis.py`
            candidates.append((common(root, importer.parts), -len(root), module.path, module))
        if not candidates:
            return None
        candidates.sort(key=lambda c: (-c[0], -c[1], c[2]))
        return candidates[0][3]


def common(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """How many folders two paths share from the root on."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
