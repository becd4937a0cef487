"""Abstract values: what a term may stand for when the program runs.

A value is a frozenset of atoms. Atoms are compared by number; the solver interns those it makes again. Nothing here
evaluates anything.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import count
from typing import TYPE_CHECKING, Self, TypeAlias

from leaklint.index.summary import Range
from leaklint.project.suspect import Strength

if TYPE_CHECKING:
    from leaklint.project.program import ClassInfo, FunctionInfo, Module
    from leaklint.project.state import Frame


class Phase(IntEnum):
    """When code runs. What is made during set-up lives as long as the process."""

    SETUP = 0
    REQUEST = 1


SETUP, REQUEST = Phase  # members of an enum are looked up by Python code, which the solver has no time for


_numbers = count(1)  # not kept in the class: each change to one makes Python forget where attributes of it are


class Atom(float):
    """One thing a term may stand for.

    Atoms are numbered in order of making: a set of them is as fast as a set of numbers, and is gone through in the same
    order in every run, which the identity of plain objects would not give. They are whole floats because integers,
    whose size varies, have no slots: attributes of those are read twice as fast.
    """

    __slots__ = ()

    def __new__(cls, *_: object) -> Self:
        return float.__new__(cls, next(_numbers))

    def __init__(self, *_: object) -> None:
        pass

    @staticmethod
    def restart() -> None:
        """Number from one again; for each program anew."""
        global _numbers
        _numbers = count(2)  # `ANYTHING` has the first number for ever


Value: TypeAlias = frozenset[Atom]
_CLOSED = {f"builtins.{t.__name__}": frozenset(dir(t)) for t in (list, tuple, dict, set, frozenset, str, bytes)}
NOTHING: Value = frozenset()
Args: TypeAlias = tuple[Value, ...]
Keywords: TypeAlias = tuple[tuple[str | None, Value], ...]


class External(Atom):
    """A name of a library: a module, a class, a function or a module-level object."""

    __slots__ = ("fqn",)

    def __init__(self, fqn: str) -> None:
        self.fqn = fqn


class ModuleValue(Atom):
    """A module of the program."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        self.module = module


class ClassValue(Atom):
    """A class of the program, defined in `frame`."""

    __slots__ = ("frame", "info")

    def __init__(self, info: ClassInfo, frame: Frame) -> None:
        self.info = info
        self.frame = frame


class FunctionValue(Atom):
    """A function of the program with the frame it closes over."""

    __slots__ = ("env", "info")

    def __init__(self, info: FunctionInfo, env: Frame | None) -> None:
        self.info = info
        self.env = env


class Method(Atom):
    """A function bound to its receiver, an instance or a class."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: FunctionValue, receiver: Atom) -> None:
        self.function = function
        self.receiver = receiver


class Partial(Atom):
    """A callable with leading arguments and keywords already given."""

    __slots__ = ("args", "func", "keywords")

    def __init__(self, func: Atom, args: tuple[Value, ...], keywords: tuple[tuple[str, Value], ...]) -> None:
        self.func = func
        self.args = args
        self.keywords = keywords


class Instance(Atom):
    """An object made at one place in the code: of a class of the program, or of a library's (`fqn`)."""

    __slots__ = ("cls", "depth", "fqn", "frame", "joined", "module", "phase", "span")

    def __init__(
        self,
        cls: ClassValue | None,
        fqn: str,
        module: Module,
        span: Range,
        phase: Phase,
        frame: Frame | None,
        depth: int = 0,
    ) -> None:
        self.cls = cls
        self.fqn = fqn
        self.module = module
        self.span = span
        self.phase = phase
        self.frame = frame  # where it was made
        self.depth = depth
        self.joined = False  # it stands for objects of many makings: what one of them holds, another need not

    def __repr__(self) -> str:
        name = self.cls.info.summary.name if self.cls else self.fqn
        return f"<{name} {self.module.path}:{self.span >> 56} {self.phase.name}>"


class Member(Atom):
    """An attribute of a library object: a bound method when called, a part of the object when written to."""

    __slots__ = ("fqn", "name", "owner")

    def __init__(self, owner: Atom, name: str, fqn: str) -> None:
        self.owner = owner
        self.name = name
        self.fqn = fqn


class Literal(Atom):
    """A constant; `span` says where it stands in `module`."""

    __slots__ = ("module", "span", "value")

    def __init__(self, value: object, module: Module, span: Range) -> None:
        self.value = value
        self.module = module
        self.span = span


class Taint(Atom):
    """Request data; `kept` when it is read where some request, maybe another one, has left it."""

    __slots__ = ("concept", "kept", "strength")

    def __init__(self, strength: Strength, concept: str, kept: bool = False) -> None:
        self.strength = strength
        self.concept = concept
        self.kept = kept

    def __repr__(self) -> str:
        return f"<{self.strength.value} {self.concept}>"


class Token(Atom):
    """A generated id: fresh or colliding, with the place and phase of its making."""

    __slots__ = ("fresh", "module", "phase", "span", "why")

    def __init__(self, fresh: bool, why: str, module: Module, span: Range, phase: Phase) -> None:
        self.fresh = fresh
        self.why = why
        self.module = module
        self.span = span
        self.phase = phase


class Super(Atom):
    """What `super()` gives: a receiver seen from behind one of its classes."""

    __slots__ = ("defining", "receiver")

    def __init__(self, defining: ClassValue, receiver: Atom) -> None:
        self.defining = defining
        self.receiver = receiver


class Anything(Atom):
    """More objects than can be told apart: nothing is claimed of them."""

    __slots__ = ()


ANYTHING = Anything()


class Ambient(Atom):
    """What a ContextVar or another ambient holder says."""

    __slots__ = ("holder",)

    def __init__(self, holder: str) -> None:
        self.holder = holder


def is_closed(atom: Atom) -> bool:
    """Whether an object is of a builtin type that takes no attributes of the program's."""
    return isinstance(atom, Instance) and atom.fqn in _CLOSED


def may_have(atom: Atom, name: str) -> bool:
    """Whether an object can have an attribute of that name, as far as its type tells."""
    known = _CLOSED.get(atom.fqn) if isinstance(atom, Instance) else None
    return known is None or name in known
