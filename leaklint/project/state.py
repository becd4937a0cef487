"""The solver's state: frames, the heap and the work list.

Nothing here evaluates a term; `evaluate`, `calls`, `execute` and `entries` do, on this state.
"""

from __future__ import annotations

from collections import defaultdict, deque
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeAlias, TypeGuard

from msgspec import Struct, field

from leaklint.index.summary import Bind, Call, Const, Kind, Op, Range, Term
from leaklint.models import EntryModel, Models
from leaklint.project.program import ClassInfo, FunctionInfo, Module, Program
from leaklint.project.suspect import Access, Strength
from leaklint.project.values import (
    ANYTHING,
    NOTHING,
    SETUP,
    Ambient,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    Method,
    ModuleValue,
    Partial,
    Phase,
    Super,
    Taint,
    Token,
    Value,
)

MAKING = "(made with)"  # stands for all that an object was made with
MADE = "(made)"  # of an application that requests get at: those that the program makes
PROVIDED = "(provided)"  # what a provider gives to all who ask for it
ITEMS = "[*]"  # heap field of items under unknown keys
_CONTEXTS = {Phase.SETUP: 3, Phase.REQUEST: 4}  # frames of one function before calls share one
_INHERITED = 40  # frames of a plain initialiser that many classes inherit, in set-up code
_SELECTED = 64  # frames of a function that is given names of modules
_DECORATED = 4000  # frames of set-up code that is given a function and makes another, as decorators do
_DEPTH = 2  # objects made by objects made by ... before they share one atom
_OBJECTS = 4  # objects of one class, or of one place, that are told apart
_FUNCTION, _IDENTITY = Kind.FUNCTION, Strength.IDENTITY  # looked up once
LITERALS = 4  # constants kept in one value
ALL = -1  # every operation of a function, as a set of bits
_OBJECTS_KEPT = 12  # objects kept in one value
_NAMES_KEPT = 24  # names of libraries kept in one value


_OBJECT_KINDS = (Instance, Member, Method)


class EntryPoint(NamedTuple):
    """A function that a framework runs, and how it came to know it."""

    model: EntryModel
    label: str
    module: Module
    span: Range  # of the registration


class Selector(NamedTuple):
    """In a signature: the name of a module, in which the call will look something up."""

    module: str


class Effect(Struct, frozen=True):
    """A write, mutation or deletion of a field of an object, as seen in one frame."""

    access: Access
    holder: Atom | Frame  # whose field it is
    field: str  # ".name" is written as "name"; items as "['k']" or "[*]"
    place: Term  # the written place, or the receiver of the mutating call
    key: Value
    key_term: Term | None
    value: Value
    value_term: Term | None
    how: str
    span: Range
    position: int  # in the function's `ops`


class Unique(NamedTuple):
    """What a migration says is unique: columns of a table that a call names, or whatever a statement's text says."""

    tables: frozenset[object] = frozenset()
    columns: frozenset[object] = frozenset()
    text: str = ""
    dropped: bool = False  # the other way round: from then on the table has no such column


class Made(Struct, frozen=True):
    """A call as resolved in one frame."""

    term: Call
    position: int
    targets: tuple[Frame, ...]
    external: tuple[str, ...]  # dotted names of library callees


class Frame:
    """One function under one abstract call: receiver, phase and what its arguments are."""

    __slots__ = (
        "args",
        "bit",
        "callers",
        "calls",
        "cls",
        "crowded",
        "dependents",
        "depth",
        "dirty",
        "effects",
        "entry",
        "env",
        "info",
        "level",
        "loads",
        "made",
        "phase",
        "receiver",
        "returns",
        "rounds",
        "running",
        "sealed",
        "seen",
        "todo",
        "values",
        "written",
    )

    def __init__(self, info: FunctionInfo, env: Frame | None, receiver: Atom | None, phase: Phase) -> None:
        self.info = info
        self.env = env
        self.receiver = receiver
        self.phase = phase
        self.cls: ClassValue | None = None  # of class bodies
        self.args: dict[str, Value] = {}
        self.values: list[Value] = [NOTHING] * len(info.function.ops)
        self.returns: Value = NOTHING
        self.entry: EntryPoint | None = None
        self.callers: dict[Frame, Call] = {}
        self.dependents: dict[Frame, int] = {}  # which operations of a frame look at `returns`
        self.effects: list[Effect] = []  # in order; there when the program is solved, as are `loads`
        self.made: dict[int, Made] = {}
        self.loads: dict[tuple[Atom | Frame, str], list[tuple[Range, int]]] = {}
        self.written: dict[int, list[Effect]] = {}  # effects by operation
        self.seen: dict[int, list[tuple[Holder, str, Range]]] = {}  # loads by operation
        self.todo = ALL  # operations to run at the next visit, a bit for each
        self.bit = 0  # the operation that runs now
        self.calls = 0
        self.depth = 0
        self.crowded = False  # calls of many kinds share it: its arguments are those of any of them
        self.dirty = True
        self.running = False
        self.sealed = False  # it is as the solver left it: nothing is recorded any more
        self.rounds = 0
        self.level: int = 0 if env is None else env.level + (env.info.function.kind is _FUNCTION)

    def __repr__(self) -> str:
        return f"<frame {self.info.qualname} {self.phase.name} {self.receiver or ''}>"


Holder: TypeAlias = Atom | Frame


class Find:
    """What a class has under a name, itself or from the nearest of its bases that has it."""

    __slots__ = ("owner", "readers", "stale", "value")

    def __init__(self) -> None:
        self.owner: ClassValue | None = None
        self.value: Value = NOTHING
        self.readers: dict[Frame, int] = {}  # with their operations
        self.stale = True


class Edge(Struct, frozen=True):
    """How an object came to be held by another: the first store seen."""

    frame: Frame
    effect: Effect


class State(Struct, dict=True):
    """Everything that grows while the program is solved."""

    program: Program
    models: Models
    heap: dict[Holder, dict[str, Value]] = field(default_factory=lambda: defaultdict(dict))
    readers: dict[Holder, dict[str, dict[Frame, int]]] = field(default_factory=dict)  # by field, with their operations
    edges: dict[tuple[Holder, str, Atom], Edge] = field(default_factory=dict)
    born: dict[Instance, dict[str, Value]] = field(default_factory=lambda: defaultdict(dict))  # what it was made with
    work: deque[Frame] = field(default_factory=deque)
    frames: list[Frame] = field(default_factory=list)
    entries: list[Frame] = field(default_factory=list)
    registered: dict[FunctionInfo, dict[tuple[Module, Range], EntryModel]] = field(default_factory=dict)  # for codemods
    bases: dict[ClassValue, Value] = field(default_factory=dict)
    orders: dict[ClassValue, tuple[tuple[ClassValue, ...], tuple[str, ...]]] = field(default_factory=dict)
    ordered: set[ClassValue] = field(default_factory=set)  # the classes that any of these was worked out from
    heirs: dict[ClassInfo, dict[ClassValue, None]] = field(default_factory=dict)  # of a solved program
    finds: dict[tuple[ClassValue, str], Find] = field(default_factory=dict)
    sought: dict[tuple[Holder, str], dict[Find, None]] = field(default_factory=dict)  # by class looked at
    likenesses: dict[Value, object] = field(default_factory=dict)  # of arguments, as they tell calls apart
    data_classes: set[ClassValue] = field(default_factory=set)
    typed: dict[tuple[int, Frame, Phase, bool], Value] = field(default_factory=dict)  # by annotation
    made_of: dict[FunctionInfo, str] = field(default_factory=dict)  # library class that a decorator makes of a function
    factories: list[tuple[Frame, EntryModel, str]] = field(default_factory=list)  # what they return is a handler
    memoised: dict[FunctionInfo, tuple[Term, Frame]] = field(default_factory=dict)
    filled: dict[Frame, EntryModel] = field(default_factory=dict)  # frames whose arguments a framework provides
    traits: dict[FunctionValue, set[str]] = field(default_factory=lambda: defaultdict(set))
    setters: set[str] = field(default_factory=set)  # names of attributes that any class has a setter for
    scripts: dict[Module, EntryModel] = field(default_factory=dict)  # run anew for every session
    module_frames: dict[Module, Frame] = field(default_factory=dict)
    gave_up: int = 0  # frames left as they were after so many visits, or never entered so deep in set-up code
    solved: bool = False  # from then on nothing is recorded
    said_unique: list[Unique] | None = None  # what migrations say, once somebody asked
    _externals: dict[str, External] = field(default_factory=dict)
    _builtins: dict[str, Value] = field(default_factory=dict)
    _modules: dict[Module, ModuleValue] = field(default_factory=dict)
    _classes: dict[tuple[Module, int, Frame], ClassValue] = field(default_factory=dict)
    _functions: dict[tuple[FunctionInfo, Frame | None], FunctionValue] = field(default_factory=dict)
    _methods: dict[tuple[FunctionValue, Atom], Method] = field(default_factory=dict)
    _members: dict[tuple[Atom, str], Member] = field(default_factory=dict)
    _constants: dict[tuple[Module, Range, object], Value] = field(default_factory=dict)
    _objects: dict[tuple[Frame, Range, ClassValue | str, str], Instance] = field(default_factory=dict)
    _interned: dict[tuple[object, ...], Atom] = field(default_factory=dict)  # the rare kinds
    _concepts: dict[str, str] = field(default_factory=dict)  # of heap fields, by their names
    _surely: dict[tuple[str, Value], Value] = field(default_factory=dict)  # what each of many objects has in a field
    _frames: dict[tuple[object, ...], Frame] = field(default_factory=dict)
    _made: dict[tuple[object, ...], int] = field(default_factory=lambda: defaultdict(int))
    _count: dict[tuple[FunctionInfo, Phase], int] = field(default_factory=lambda: defaultdict(int))

    # --- atoms -----------------------------------------------------------------------------------------------------

    def external(self, fqn: str) -> External:
        atom = self._externals.get(fqn)
        if atom is None:
            canonical = self.models.canonical(fqn)
            atom = self._externals.get(canonical)
            if atom is None:
                atom = self._externals[canonical] = External(canonical)
            self._externals[fqn] = atom
        return atom

    def builtin(self, name: str) -> Value:
        """What a name means that nothing binds."""
        value = self._builtins.get(name)
        if value is None:
            value = self._builtins[name] = frozenset((self.external(f"builtins.{name}"),))
        return value

    def module_value(self, module: Module) -> ModuleValue:
        atom = self._modules.get(module)
        if atom is None:
            atom = self._modules[module] = ModuleValue(module)
        return atom

    def class_value(self, module: Module, index: int, frame: Frame) -> ClassValue:
        key = (module, index, frame)
        atom = self._classes.get(key)
        if atom is None:
            atom = self._classes[key] = ClassValue(module.classes[index], frame)
        return atom

    def function_value(self, info: FunctionInfo, env: Frame | None) -> FunctionValue:
        key = (info, env)
        atom = self._functions.get(key)
        if atom is None:
            atom = self._functions[key] = FunctionValue(info, env)
        return atom

    def method(self, function: FunctionValue, receiver: Atom) -> Method:
        key = (function, receiver)
        atom = self._methods.get(key)
        if atom is None:
            atom = self._methods[key] = Method(function, receiver)
        return atom

    def member(self, owner: Atom, name: str, fqn: str) -> Member:
        key = (owner, name)
        atom = self._members.get(key)
        if atom is None:
            atom = self._members[key] = Member(owner, name, self.models.canonical(fqn))
        return atom

    def partial(self, func: Atom, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]) -> Atom:
        """A callable with arguments given; one that wraps itself again and again stays as it is after a few times."""
        if isinstance(func, Partial) and isinstance(func.func, Partial):
            return func
        return self._intern(("partial", func, args, keywords), lambda: Partial(func, args, keywords))

    def super_of(self, defining: ClassValue, receiver: Atom) -> Super:
        return self._intern(("super", defining, receiver), lambda: Super(defining, receiver))  # type: ignore[return-value]

    def literal(self, value: object, module: Module, span: Range) -> Literal:
        (atom,) = self.constant(value, module, span)
        return atom  # type: ignore[return-value]

    def constant(self, value: object, module: Module, span: Range) -> Value:
        """The value that a constant is, where it stands."""
        key = (module, span, value)
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = frozenset((Literal(value, module, span),))
        return known

    def taint(self, strength: Strength, concept: str = "", kept: bool = False) -> Taint:
        key = ("taint", strength.value, concept, kept)
        return self._intern(key, lambda: Taint(strength, concept, kept))  # type: ignore[return-value]

    def as_kept(self, value: Value) -> Value:
        """What later readers find of a value that a request leaves in a place for all."""
        new = [a for a in value if a.__class__ is Taint and not a.kept]
        if not new:
            return value
        return value.difference(new).union([self.taint(a.strength, a.concept, True) for a in new])

    def token(self, fresh: bool, why: str, frame: Frame, span: Range) -> Token:
        module = frame.info.module
        return self._intern(
            ("token", fresh, module, span, frame.phase), lambda: Token(fresh, why, module, span, frame.phase)
        )  # type: ignore[return-value]

    def ambient(self, holder: str) -> Ambient:
        return self._intern(("ambient", holder), lambda: Ambient(holder))  # type: ignore[return-value]

    def instance(self, cls: ClassValue | None, fqn: str, frame: Frame, span: Range, tag: str = "") -> Instance:
        """The object made at `span` in `frame`; frames of one function share it beyond a depth."""
        key = (frame, span, cls or fqn, tag)
        known = self._objects.get(key)
        if known is None:
            known = self._objects[key] = self._instance(cls, fqn, frame, span, tag)
        return known

    def _instance(self, cls: ClassValue | None, fqn: str, frame: Frame, span: Range, tag: str) -> Instance:
        module = frame.info.module
        depth = frame.receiver.depth + 1 if isinstance(frame.receiver, Instance) else 0
        site: tuple[object, ...] = (cls, frame.phase) if cls is not None else (module, span, frame.phase, tag)
        deep = cls is not None and depth > _DEPTH  # a library's object runs no code that makes further ones
        shared = deep or frame.level > _DEPTH or self._made[site] >= _OBJECTS
        self._made[site] += 1
        if not shared:
            made = Instance(cls, fqn, module, span, frame.phase, frame, depth)
        else:
            key = ("instances", cls or fqn, *site)
            made = self._intern(key, lambda: Instance(cls, fqn, module, span, frame.phase, frame, depth))  # type: ignore[assignment]
        made.joined = made.joined or shared or frame.crowded
        return made

    def the_instance(self, cls: ClassValue | None, fqn: str, module: Module, span: Range, phase: Phase) -> Instance:
        """The one object of its kind, when nobody sees where it is made."""
        key = ("the", cls or fqn, module if cls else None, phase)
        return self._intern(key, lambda: Instance(cls, fqn, module, span, phase, None))  # type: ignore[return-value]

    def copy_of(self, atom: Instance, owner: Instance, name: str) -> Instance:
        """What an instance of a data class has instead of the default in the class body."""
        return self._intern(
            ("copy", atom, owner, name),
            lambda: Instance(atom.cls, atom.fqn, owner.module, owner.span, owner.phase, owner.frame, owner.depth + 1),
        )  # type: ignore[return-value]

    def item_of(self, mapping: Instance, field: str, cls: ClassValue | None, fqn: str) -> Instance:
        """What a mapping makes by itself for a key that is absent."""
        frame = mapping.frame if mapping.phase is Phase.REQUEST else None
        item = self._intern(
            ("item", mapping, field, cls or fqn),
            lambda: Instance(cls, fqn, mapping.module, mapping.span, Phase.REQUEST, frame, mapping.depth + 1),
        )
        item.joined = mapping.joined  # type: ignore[attr-defined]
        return item  # type: ignore[return-value]

    def _intern(self, key: tuple[object, ...], make: object) -> Atom:
        atom = self._interned.get(key)
        if atom is None:
            atom = self._interned[key] = make()  # type: ignore[operator]
        return atom

    # --- heap ------------------------------------------------------------------------------------------------------

    def write(self, holder: Holder, name: str, value: Value) -> None:
        fields = self.heap[holder]
        old = fields.get(name)
        if old is not None and value <= old:
            return
        new = grown(old or NOTHING, value)
        if old is not None and new == old:
            return
        fields[name] = new
        self.wake(holder, "[" if name[:1] == "[" else name)
        if holder.__class__ is ClassValue:
            for find in self.sought.pop((holder, name), ()):
                find.stale = True
                self._look_again(find.readers)

    def build(self, instance: Instance, name: str, value: Value) -> None:
        """Write a field as part of making the object."""
        fields = self.born[instance]
        old = fields.get(name, NOTHING)
        new = fields[name] = grown(old, value)
        if new is not old and new != old:
            self.wake(instance, MAKING)
        self.write(instance, name, value)

    def read(self, holder: Holder, name: str, frame: Frame) -> Value:
        if frame.bit or frame in self.filled:
            self.watch(holder, "[" if name[:1] == "[" else name, frame)
        fields = self.heap.get(holder)
        if fields is None:
            return NOTHING
        value = fields.get(name, NOTHING)
        return self._sure(name, value) if value and holder.__class__ is Instance and holder.joined else value

    def watch(self, holder: Holder, group: str, frame: Frame) -> None:
        """Run the present operation of a frame again when the fields grow."""
        bit = frame.bit
        if not bit and frame not in self.filled:
            return  # nothing runs in it now that could be run again
        groups = self.readers.get(holder)
        if groups is None:
            groups = self.readers[holder] = {}
        readers = groups.get(group)
        if readers is None:
            groups[group] = {frame: bit}
        else:
            readers[frame] = readers.get(frame, 0) | bit

    def wake(self, holder: Holder, group: str) -> None:
        """Let all that watch the fields look at them again; all items of a container are watched together, as `[`."""
        groups = self.readers.get(holder)
        readers = groups.get(group) if groups is not None else None
        if readers is not None:
            self._look_again(readers)

    def _look_again(self, readers: dict[Frame, int]) -> None:
        for reader, operations in readers.items():
            reader.todo |= operations
            if not reader.dirty:
                reader.dirty = True
                self.work.append(reader)

    def fields(self, holder: Holder, frame: Frame) -> dict[str, Value]:
        """The fields of a container; only its items may be relied on."""
        self.watch(holder, "[", frame)
        fields = self.heap.get(holder, {})
        if holder.__class__ is Instance and holder.joined:
            return {name: self._sure(name, value) for name, value in fields.items()}
        return fields

    def _sure(self, name: str, value: Value) -> Value:
        """What a field of many objects holds in each of them: of request data, only the id that it is named for."""
        known = self._surely.get((name, value))
        if known is None:
            mixed = [
                a for a in value if a.__class__ is Token or (a.__class__ is Taint and not self._is_named_for(name, a))
            ]
            known = self._surely[name, value] = value.difference(mixed) if mixed else value
        return known

    def _is_named_for(self, name: str, taint: Taint) -> bool:
        if taint.strength is not _IDENTITY:
            return False
        concept = self._concepts.get(name)
        if concept is None:
            concept = self._concepts[name] = self.models.concept(name.strip("[]'\""))
        return concept == taint.concept

    def items(self, holder: Holder, frame: Frame) -> Value:
        """All items of a container, whatever their key."""
        found = [v for name, v in self.fields(holder, frame).items() if name[0] == "["]
        return NOTHING.union(*found) if found else NOTHING

    # --- frames ----------------------------------------------------------------------------------------------------

    def frame(
        self,
        info: FunctionInfo,
        env: Frame | None,
        receiver: Atom | None,
        phase: Phase,
        signature: tuple[object, ...],
    ) -> Frame:
        """The frame for such a call; functions called in too many ways share one."""
        key = (info, env, receiver, phase, signature)
        known = self._frames.get(key)
        if known is not None:
            return known
        count = self._count[info, phase]
        limit = _limit(info, phase, signature, receiver) if count >= _CONTEXTS[phase] else _CONTEXTS[phase]
        if count >= limit:
            many = count >= (limit if phase is SETUP else 4 * limit)
            key = (info, env, None if many else receiver, phase, ())
            known = self._frames.get(key)
            if known is not None:
                return known
        self._count[info, phase] = count + 1
        frame = self._frames[key] = Frame(info, env, receiver, phase)
        frame.crowded = count >= limit
        self.frames.append(frame)
        return frame

    def enqueue(self, frame: Frame, operations: int = ALL) -> None:
        frame.todo |= operations
        if not frame.dirty:
            frame.dirty = True
            self.work.append(frame)

    def seal(self) -> None:
        """The program is solved: what was recorded by operation is put together by frame."""
        self.solved = True
        for frame in self.frames:
            if written := frame.written:
                frame.effects = [effect for at in sorted(written) for effect in written[at]]
                written.clear()
            if seen := frame.seen:
                loads = frame.loads
                for at in sorted(seen):
                    for holder, name, span in seen[at]:
                        key = (holder, name)
                        if key in loads:
                            loads[key].append((span, at))
                        else:
                            loads[key] = [(span, at)]
                seen.clear()
            frame.sealed = True
            frame.dependents.clear()
        self.gave_up += sum([not frame.rounds for frame in self.frames])
        self.readers.clear()
        self.sought.clear()
        for find in self.finds.values():
            find.readers.clear()
        self.likenesses.clear()

    # --- a solved program by function and by field, worked out when it is first asked for ---

    @cached_property
    def frames_of(self) -> dict[FunctionInfo, list[Frame]]:
        """The frames of each function that has any."""
        found: dict[FunctionInfo, list[Frame]] = {}
        for frame in self.frames:
            found.setdefault(frame.info, []).append(frame)
        return found

    @cached_property
    def called(self) -> dict[str, list[tuple[Frame, Made]]]:
        """The calls of library names."""
        found: dict[str, list[tuple[Frame, Made]]] = {}
        for frame in self.frames:
            for made in frame.made.values():
                for fqn in made.external:
                    found.setdefault(fqn, []).append((frame, made))
        return found

    @property
    def made_classes(self) -> set[ClassInfo]:
        """The classes of the program of which an object was seen to be made."""
        return {made.cls.info for made in self._objects.values() if made.cls is not None}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The library classes of which there are objects."""
        return frozenset([made.fqn for made in self.instances if made.cls is None])

    @property
    def instances(self) -> list[Instance]:
        """All objects, wherever they are made."""
        return [a for a in chain(self._objects.values(), self._interned.values()) if a.__class__ is Instance]

    @cached_property
    def reading(self) -> dict[tuple[Holder, str], list[Frame]]:
        """The frames that read a field."""
        found: dict[tuple[Holder, str], list[Frame]] = {}
        for frame in self.frames:
            for key in frame.loads:
                found.setdefault(key, []).append(frame)
        return found

    @cached_property
    def writing(self) -> dict[tuple[Holder, str], list[tuple[Frame, Effect]]]:
        """The writes to a field."""
        found: dict[tuple[Holder, str], list[tuple[Frame, Effect]]] = {}
        for frame in self.frames:
            for effect in frame.effects:
                found.setdefault((effect.holder, effect.field), []).append((frame, effect))
        return found

    @cached_property
    def holders_of(self) -> dict[str, list[Holder]]:
        """What has a field of that name which is read or written."""
        found: dict[str, list[Holder]] = {}
        for holder, name in dict.fromkeys((*self.reading, *self.writing)):
            found.setdefault(name, []).append(holder)
        return found

    @cached_property
    def one_process(self) -> bool:
        """Whether the program says itself that it runs with one worker."""
        return any(
            name == "workers" and isinstance(value, Const) and value.value == 1
            for frame in self.frames
            for made in frame.made.values()
            for name, value in made.term.keywords
        )

    def ops(self, frame: Frame) -> tuple[Op, ...]:
        return frame.info.function.ops


def _limit(info: FunctionInfo, phase: Phase, signature: tuple[object, ...], receiver: Atom | None) -> int:
    """How many frames a function may have before calls of it share one: never fewer than other functions."""
    if any(part.__class__ is Selector for part in signature):
        return _SELECTED
    if phase is SETUP and info.wraps and any(isinstance(one, FunctionValue) for _, one in filter(_is_kind, signature)):
        return _DECORATED
    if phase is SETUP and info.function.name == "__init__" and _is_heir(receiver, info) and _only_keeps(info):
        return _INHERITED
    return _CONTEXTS[phase]


def _is_heir(receiver: Atom | None, info: FunctionInfo) -> bool:
    """Whether an object is of another class than the one that defines a function."""
    return isinstance(receiver, Instance) and receiver.cls is not None and receiver.cls.info is not info.owner


def _only_keeps(info: FunctionInfo) -> bool:
    """Whether a function does nothing but set names and attributes, which takes no time."""
    return all(op.__class__ is Bind and op.value.__class__ is not Call for op in info.function.ops)


def _is_kind(part: object) -> TypeGuard[tuple[int, object]]:
    return part.__class__ is tuple


def grown(old: Value, value: Value) -> Value:
    """Both values together, bounded: surplus constants and names of libraries are dropped.

    Too many objects become `ANYTHING`. Never smaller than `old` but for those, so that growing comes to an end.
    """
    if value <= old:
        return old
    both = old | value if old else value
    if len(both) <= LITERALS or _has_room(both):
        return both
    literals = [a for a in old if a.__class__ is Literal]
    room = LITERALS - len(literals)
    fresh = [a for a in value if a.__class__ is Literal and a not in old]
    if len(fresh) > room:
        fresh.sort(key=lambda a: (a.module.path, a.span))
        both = both.difference(fresh[max(room, 0) :])
    objects = [a for a in both if a.__class__ in _OBJECT_KINDS]
    if len(both) > _NAMES_KEPT + len(objects):
        room = _NAMES_KEPT - sum([a.__class__ is External for a in old])
        names = sorted([a.fqn for a in value if a.__class__ is External and a not in old])[max(room, 0) :]
        both = both.difference([a for a in value if a.__class__ is External and a.fqn in names]) if names else both
    if objects and (len(objects) > _OBJECTS_KEPT or ANYTHING in both):
        both = both.difference(objects) | {ANYTHING}
    return both


def _has_room(value: Value) -> bool:
    """Whether a value keeps within all bounds: most do, and one look at its atoms says so."""
    literals = objects = 0
    for atom in value:
        kind = atom.__class__
        if kind is Literal:
            literals += 1
        elif kind in _OBJECT_KINDS:
            objects += 1
    if literals > LITERALS or objects > _OBJECTS_KEPT or len(value) > _NAMES_KEPT + objects:
        return False
    return not objects or ANYTHING not in value


def item_field(key: object) -> str:
    """The heap field of an item under a constant key."""
    return f"[{key!r}]"


def loaded(frame: Frame, holder: Holder, ident: str, span: Range, at: int) -> None:
    """Remember that a frame reads a field."""
    if not frame.sealed:
        frame.seen.setdefault(at, []).append((holder, ident, span))
