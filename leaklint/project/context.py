"""Where a solved program reads, sets and resets its context variables, frame by frame.

Which of these is wrong is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from leaklint.index.summary import Attr, BlockKind, Term
from leaklint.models import Models
from leaklint.project.asking import value_of
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.program import ancestors
from leaklint.project.routes import Routes
from leaklint.project.state import Frame, Made, State
from leaklint.project.suspect import Access, Use
from leaklint.project.uses import name_occurrences, use
from leaklint.project.values import Instance, ModuleValue, Phase

DEFAULT = "(default)"  # heap field of what a variable is made with
_VALUE = "(value)"  # what `set` writes to, in the models
_OPTIONAL = (BlockKind.IF, BlockKind.ELSE, BlockKind.CASE, BlockKind.EXCEPT, BlockKind.LOOP)


class Touch(Struct, frozen=True, eq=False):
    """One call of a method of a context variable."""

    frame: Frame
    made: Made
    variable: Instance
    access: Access  # READ, STORE or DELETE for `get`, `set` and `reset`

    @property
    def value(self) -> Term | None:
        """What the variable is set to."""
        args = self.made.term.args
        return args[0] if self.access is Access.STORE and args else None

    @property
    def block(self) -> int:
        """The block of the call in its function."""
        return self.frame.info.function.ops[self.made.position].block

    @property
    def use(self) -> Use:
        """The call as plain data."""
        module = self.frame.info.module
        statement = module.span(self.frame.info.function.ops[self.made.position].span)
        return Use(self.access, module.span(self.made.term.span), statement, self.frame.info.qualname, True)


def all_touches(s: State, ways: Routes) -> dict[Frame, tuple[Touch, ...]]:
    """What request code does to context variables, by frame; frames that do nothing are left out."""
    if not any(isinstance(holder, Instance) and is_variable(s.models, holder) for holder in s.heap):
        return {}
    return {frame: found for frame in ways.before if (found := tuple(touches(s, frame)))}


def touches(s: State, frame: Frame) -> Iterator[Touch]:
    """What a frame does to context variables, in order."""
    for order in sorted(frame.made):
        made = frame.made[order]
        access = _access(s.models, made)
        if access is None or not isinstance(made.term.func, Attr):
            continue
        for atom in value_of(s, frame, made.term.func.base, made.position):
            if isinstance(atom, Instance) and is_variable(s.models, atom):
                yield Touch(frame, made, atom, access)


def is_task(entry: Frame) -> bool:
    """Whether an entry is one of a worker, whose hooks run before tasks, and not of a server."""
    return entry.entry is not None and entry.entry.model.concurrency == "task"


def entries_of(frame: Frame) -> set[Frame]:
    """The entries from which requests come to a frame."""
    seen, work = {frame}, [frame]
    for at in work:
        for caller in at.callers:
            if caller not in seen and caller.phase is Phase.REQUEST:
                seen.add(caller)
                work.append(caller)
    return {at for at in work if at.entry is not None}


def is_for_every(entry: Frame) -> bool:
    """Whether a framework runs an entry with every request, as middleware and hooks."""
    return entry.entry is not None and entry.entry.model.every


def is_certain(ways: Routes, touch: Touch) -> bool:
    """Whether the way from the entry to a call passes no branch, as far as blocks tell."""
    at, order = touch.frame, touch.made.term.order
    while True:
        function = at.info.function
        block = next((op.block for op in function.ops if op.order >= order), 0)
        if any(function.blocks[b].kind in _OPTIONAL for b in ancestors(function.blocks, block)):
            return False
        if any(b.exits and b.end <= order and b.kind is BlockKind.IF for b in function.blocks):
            return False
        step = ways.before[at]
        if step is None:
            return True
        at, order = step[0], step[1].order


def is_variable(models: Models, instance: Instance) -> bool:
    """Whether an object is a context variable."""
    return bool(instance.fqn) and _is_ambient(models, f"{instance.fqn}.get")


def _access(models: Models, made: Made) -> Access | None:
    for fqn in made.external:
        model = models.call(fqn)
        if model is None or not _is_ambient(models, f"{fqn.rpartition('.')[0]}.get"):
            continue
        if model.gives == "ambient":
            return Access.READ
        if model.sets == _VALUE:
            return Access.STORE
        if model.removes:
            return Access.DELETE
    return None


def _is_ambient(models: Models, getter: str) -> bool:
    model = models.call(getter)
    return model is not None and model.gives == "ambient"


def name_of(lives: Lifetimes, instance: Instance) -> str:
    """The module-level name of an object, as its own module has it; empty when it has none."""
    names = [
        (holder.module is not instance.module, name)
        for holder, name in lives.holders.get(instance, ())
        if isinstance(holder, ModuleValue)
    ]
    return min(names)[1] if names else ""


def occurrences_of(s: State, instance: Instance, name: str) -> tuple[Use, ...]:
    """Every occurrence of an object's module-level name in the program."""
    found = name_occurrences(s.program, s.models, instance.module, name) if name else ()
    return tuple(sorted((use(o, True) for o in found), key=lambda u: u.span))
