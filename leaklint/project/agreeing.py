"""Whether all who call a function hand it, as a parameter, what the surroundings say anyway.

Takes solved frames; follows the arguments of resolved calls back to reads of the same context variable, through local
names, further parameters and attributes of objects made on the way. Whatever cannot be followed is something else.
"""

from __future__ import annotations

from msgspec import Struct

from leaklint.index.summary import Attr, Await, Bind, Call, Choice, Const, How, Name, Term
from leaklint.project import evaluate
from leaklint.project.ambient import AmbientUse, Survey
from leaklint.project.bindings import argument, may_pass
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Frame
from leaklint.project.values import Ambient, Instance, Value

_DEEP = 12  # local names, calls and attributes that are followed


def is_handed_the_same(found: Survey, ways: Routes, info: FunctionInfo, name: str, use: AmbientUse) -> bool:
    """Whether every request that comes to a function gives its parameter what an ambient use would read."""
    asking = (frame for frame in found.frames.get(use.info, ()))
    wanted = frozenset[str]().union(*(_holders(_value(found, f, use.spot.term, use.spot.position)) for f in asking))
    frames = [frame for frame in found.frames.get(info, ()) if frame in ways.before]
    follow = _Follow(found, wanted)
    return bool(wanted and frames) and all(follow.parameter(frame, name, _DEEP) for frame in frames)


class _Follow(Struct, frozen=True):
    """The search for reads of one context variable behind a value."""

    found: Survey
    wanted: frozenset[str]  # the variable, with those that it is set from

    def parameter(self, frame: Frame, name: str, deep: int) -> bool:
        """Whether all calls give a parameter the variable's value; calls that leave it out give none."""
        if frame.entry is not None or deep == 0 or name not in frame.info.param_names:
            return False
        given = False
        for caller, call in frame.callers.items():
            for made in caller.made.values():
                if (frame not in made.targets and made.term is not call) or not may_pass(made.term, frame, name):
                    continue
                term = argument(made.term, frame, name)
                if term is None or not self._term(caller, term, made.position, deep - 1):
                    return False
                given = True
        return given

    def _term(self, frame: Frame, term: Term, at: int, deep: int) -> bool:
        if deep == 0:
            return False
        match term:
            case Await(value=value):
                return self._term(frame, value, at, deep)
            case Call():
                return self._is_read(frame, term, at)
            case Choice(parts=parts):
                said = [part for part in parts if not (isinstance(part, Const) and part.value is None)]
                return bool(said) and all(self._term(frame, part, at, deep - 1) for part in said)
            case Name(id=name) if name in frame.info.locals:
                return self._local(frame, name, at, deep)
            case Name(id=name):
                env = frame.env
                return env is not None and name in env.info.locals and self._enclosing(env, name, deep)
            case Attr(base=base, name=name):
                objects = _value(self.found, frame, base, at)
                return bool(objects) and all(self._field(atom, name, deep) for atom in objects)
            case _:
                return False

    def _is_read(self, frame: Frame, call: Call, at: int) -> bool:
        made = frame.made.get(call.order)
        if made is None or not all(target.info in self.found.getters for target in made.targets):
            return False
        return _holders(_value(self.found, frame, call, at)) == self.wanted

    def _local(self, frame: Frame, name: str, at: int, deep: int) -> bool:
        binds, initial = frame.info.reaching(name, at)
        if initial and not self.parameter(frame, name, deep - 1):
            return False
        return all(self._bind(frame, bind, deep) for bind in binds)

    def _enclosing(self, env: Frame, name: str, deep: int) -> bool:
        """A name of an enclosing function, whatever it was bound to when it was read."""
        if name in env.info.param_names and not self.parameter(env, name, deep - 1):
            return False
        return all(self._bind(env, bind, deep) for bind in env.info.binds().get(name, ()))

    def _bind(self, frame: Frame, position: int, deep: int) -> bool:
        op = frame.info.function.ops[position]
        plain = isinstance(op, Bind) and op.how is How.ASSIGN
        return plain and self._term(frame, op.value, position, deep - 1)  # type: ignore[union-attr]

    def _field(self, atom: object, name: str, deep: int) -> bool:
        """Whether an attribute of an object holds it, whoever writes it."""
        if not isinstance(atom, Instance) or atom.cls is None or atom.joined or atom.frame is None:
            return False
        written = self.found.state.writing.get((atom, name), ())
        given = [
            (made.position, value)
            for made in atom.frame.made.values()
            if made.term.span == atom.span
            for keyword, value in made.term.keywords
            if keyword == name and not made.targets  # of classes without code of their own for it
        ]
        return (
            bool(written or given)
            and all(
                effect.value_term is not None and self._term(frame, effect.value_term, effect.position, deep - 1)
                for frame, effect in written
            )
            and all(self._term(atom.frame, value, at, deep - 1) for at, value in given)
        )


def _value(found: Survey, frame: Frame, term: Term, at: int) -> Value:
    return evaluate.evaluate(found.state, frame, term, at)


def _holders(value: Value) -> frozenset[str]:
    return frozenset(atom.holder for atom in value if isinstance(atom, Ambient))
