"""Which objects outlive a request, and why.

Objects made during set-up live as long as the process. An object made for a request lives on when something that
lives on comes to hold it, unless it is kept under the request's own identity. Nothing here words a finding.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Set

from msgspec import Struct, field

from leaklint.index.summary import Attr, Bind, Call, Const, How, Item, Kind, Name, Range, Term
from leaklint.project import calls, evaluate
from leaklint.project.guards import is_guarded
from leaklint.project.outlets import keeps_outlet
from leaklint.project.program import Module
from leaklint.project.spots import names
from leaklint.project.state import ITEMS, Edge, Effect, Frame, Holder, State
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    NOTHING,
    REQUEST,
    SETUP,
    Ambient,
    Anything,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    Method,
    ModuleValue,
    Phase,
    Taint,
    Token,
    Value,
)


class Why(Struct, frozen=True):
    """Why an object is shared: where it was made, and what holds it."""

    text: str
    module: Module | None
    span: Range
    edge: Edge | None = None


class Lifetimes(Struct):
    """What is shared between requests."""

    shared: dict[Holder, Why] = field(default_factory=dict)
    kept: set[Atom] = field(default_factory=set)  # per session: under the request's own identity
    undecided: set[Atom] = field(default_factory=set)  # shared only if something shared holds them
    filed: set[Atom] = field(default_factory=set)  # kept under an identity somewhere, whatever else keeps them
    holders: dict[Atom, list[tuple[Holder, str]]] = field(default_factory=lambda: defaultdict(list))

    def why(self, holder: Holder) -> Why | None:
        """Why a holder is shared between requests; `None` when it is not."""
        if isinstance(holder, Member):
            return self.why(holder.owner)
        if isinstance(holder, Instance) and holder in self.kept:
            return None
        return self.shared.get(holder)


def lifetimes(s: State) -> Lifetimes:
    """Find all holders that outlive a request."""
    found = Lifetimes()
    work: deque[Holder] = deque()
    found.kept.update(_listed_by_session(s))
    for_requests = _made_for_requests(s)
    found.undecided.update(_made_in_both_phases(s))
    found.filed.update(_filed_by_requests(s))
    for holder, fields in list(s.heap.items()):
        decided = holder not in found.kept and holder not in found.undecided
        why = _by_birth(s, holder, for_requests) if decided else None
        if why is not None:
            found.shared[holder] = why
            work.append(holder)
            if isinstance(holder, Member) and (owner := _owner(holder)) is not None:
                found.shared.setdefault(owner, why)  # it may hold nothing itself
        for name, value in fields.items():
            for atom in value:
                if atom.__class__ is Instance or atom.__class__ is FunctionValue:
                    found.holders[atom].append((holder, name))
    for frame in s.frames:
        if frame.phase is SETUP and frame.info.function.kind is Kind.FUNCTION:
            found.shared[frame] = Why("", frame.info.module, frame.info.function.head)
        if frame.phase is REQUEST and frame.info in s.memoised:
            work.extend(_memoised(s, found, frame))
    while work:
        holder = work.popleft()
        for name, value in s.heap[holder].items():
            for atom in value:
                _promote(s, found, holder, name, atom, work)
    return found


def _filed_by_requests(s: State) -> Iterator[Atom]:
    """Objects that requests keep under their own identity in a mapping, whatever else they keep them in."""
    for (holder, _, atom), edge in s.edges.items():
        if _lists(holder) and edge.frame.phase is REQUEST and is_identity(s, edge.effect):
            if not _is_noted(s, edge, atom):
                yield atom


def _is_noted(s: State, edge: Edge, atom: Atom) -> bool:
    """Whether what is stored is the object that an attribute holds for all: `self.used[session_id] = self.engine`."""
    frame, effect = edge.frame, edge.effect
    term, position = effect.value_term, effect.position
    while isinstance(term, Name):
        binds, initial = frame.info.reaching(term.id, position)
        op = frame.info.function.ops[binds[0]] if len(binds) == 1 and not initial else None
        if not isinstance(op, Bind) or op.how is not How.ASSIGN:
            return False
        term, position = op.value, binds[0]
    if not isinstance(term, Attr):
        return False
    owners = evaluate.evaluate(s, frame, term.base, position)
    return any(_is_made_once(h) and atom in s.heap.get(h, {}).get(term.name, ()) for h in owners)


def _is_made_once(atom: Atom) -> bool:
    return isinstance(atom, Instance) and atom.phase is SETUP and atom.frame is not None


def _listed_by_session(s: State) -> Iterator[Atom]:
    """Objects that already set-up code makes for one session, user or tenant each: `boxes[workspace_id] = Box()`."""
    for (_, _, atom), edge in s.edges.items():
        if isinstance(atom, Instance) and atom.cls is not None and atom.phase is SETUP:
            if edge.frame is atom.frame and is_identity(s, edge.effect) and not _is_constant(edge.effect.key):
                yield atom


def _is_constant(key: Value) -> bool:
    """Whether a key is always one that the code itself spells out, whatever its name says."""
    return bool(key) and all(isinstance(atom, Literal) for atom in key)


def _made_in_both_phases(s: State) -> Iterator[Atom]:
    """Objects of set-up code that requests run as well: each of them makes its own."""
    made = {(h.module, h.span, h.fqn) for h in s.heap if isinstance(h, Instance) and h.phase is REQUEST}
    for holder in s.heap:
        if not isinstance(holder, Instance) or holder.phase is not SETUP or holder.frame is None:
            continue
        if holder.frame.info.function.kind is Kind.FUNCTION and (holder.module, holder.span, holder.fqn) in made:
            yield holder


def _memoised(s: State, found: Lifetimes, frame: Frame) -> Iterator[Holder]:
    """What a memoising function returns is kept: for all, unless its arguments tell requests apart."""
    keyed = any(evaluate.carried(s, None, v) or any(map(_may_be_of_request, v)) for v in frame.args.values())
    for atom in frame.returns:
        if not isinstance(atom, Instance) or atom in found.shared or isolated(s, atom):
            continue
        if keyed:
            found.kept.add(atom)
            continue
        name = frame.info.function.name
        found.shared[atom] = Why(f"`{name}` keeps its first result", frame.info.module, frame.info.function.head)
        if atom in s.heap:
            yield atom


def _may_be_of_request(atom: Atom) -> bool:
    return isinstance(atom, Anything) or (isinstance(atom, Instance) and atom.phase is REQUEST)


def _by_birth(s: State, holder: Holder, for_requests: Set[ClassValue]) -> Why | None:
    match holder:
        case ModuleValue() if holder.module not in s.scripts:
            return Why("a module lives as long as the process", holder.module, 0)
        case ClassValue() if holder.frame.phase is SETUP:
            return Why("a class lives as long as the process", holder.info.module, holder.info.summary.head)
        case External():
            return Why(f"`{holder.fqn}` belongs to the process", None, 0)
        case FunctionValue() if holder.env is None or holder.env.phase is SETUP:
            return Why("a function lives as long as the process", holder.info.module, holder.info.function.head)
        case Instance() if holder.phase is SETUP and not isolated(s, holder):
            if holder.frame is None and (holder.cls in for_requests or _is_row(s, holder)):
                return None  # nobody was seen to make it
            return Why("it is made once, before any request", holder.module, holder.span)
        case Member() if (owner := _owner(holder)) is not None:
            return _by_birth(s, owner, for_requests)
    return None


def _made_for_requests(s: State) -> set[ClassValue]:
    """Classes of which objects are made in request code only."""
    phases: dict[ClassValue, set[Phase]] = defaultdict(set)
    for made in s.heap:
        if isinstance(made, Instance) and made.cls is not None and made.frame is not None:
            phases[made.cls].add(made.phase)
    return {cls for cls, seen in phases.items() if seen == {REQUEST} and not _is_for_all(s, cls)}


def _is_for_all(s: State, cls: ClassValue) -> bool:
    """Whether a library says of a base class that one object of it serves all requests."""
    kinds = (s.models.type(base) for base in calls.mro(s, cls)[1])
    return any(kind is not None and kind.holds == "process" for kind in kinds)


def _owner(member: Member) -> Atom | None:
    owner: Atom = member
    while isinstance(owner, Member):
        owner = owner.owner
    return owner


def isolated(s: State, atom: Atom) -> bool:
    """Whether a holder keeps a value for each request or session of its own."""
    if isinstance(atom, Instance) and atom.cls is not None:
        bases = (s.models.type(base) for base in calls.mro(s, atom.cls)[1])
        return any(base is not None and base.holds == "isolated" for base in bases)
    if isinstance(atom, Instance) and atom.fqn:
        kind = s.models.type(atom.fqn)
        return kind is not None and kind.holds in ("isolated", "request")
    return False


def _is_row(s: State, atom: Instance) -> bool:
    """Whether it is of a class of rows: which row is not known where nobody was seen to make or load it."""
    if atom.cls is None:
        return False
    bases = (s.models.type(base) for base in calls.mro(s, atom.cls)[1])
    return any(base is not None and base.row for base in bases)


def concurrent(s: State, atom: Holder) -> bool:
    """Whether a library made this class for handing things over: queues, futures."""
    if isinstance(atom, Instance) and atom.fqn:
        kind = s.models.type(atom.fqn)
        return kind is not None and (kind.concurrent or kind.consumed)
    return False


def _promote(s: State, found: Lifetimes, holder: Holder, name: str, atom: Atom, work: deque[Holder]) -> None:
    """An object held by something shared is shared too, unless it is kept for one session or is itself the leak."""
    if isinstance(atom, Method):
        atom = atom.receiver
    if not isinstance(atom, Instance) or atom.joined:
        return
    if (atom.phase is SETUP and atom not in found.undecided) or isolated(s, atom):
        return
    if atom.frame is None and _is_row(s, atom):
        return
    edge = s.edges.get((holder, name, atom))
    if edge is None and isinstance(holder, Instance) and holder.phase is SETUP and name in s.born.get(holder, ()):
        return  # what is made before any request holds nothing of one
    if edge is not None and edge.frame.phase is REQUEST:
        if is_identity(s, edge.effect):
            if _is_noted(s, edge, atom):
                return
            found.kept.add(atom)
            if (why := found.shared.get(atom)) is not None and why.edge is not None and _lists(why.edge.effect.holder):
                del found.shared[atom]
            return
        if _is_filed(edge.effect) or _is_opened(s, holder, edge.effect):
            return  # nobody knows whose key that is
        if _is_of_work(s, edge):
            return
        if not _is_lazy(s, edge) and (atom in found.filed or _is_of_one_request(s, edge, atom)):
            return  # the store is the leak; what is stored belongs to one request
    elif edge is not None and atom in found.undecided and _is_of_work(s, edge):
        return
    if atom in found.shared or (atom in found.kept and _lists(holder)):
        return
    module = edge.frame.info.module if edge is not None else atom.module
    span = edge.effect.span if edge is not None else atom.span
    found.shared[atom] = Why(_kept_in(edge), module, span, edge)
    found.kept.discard(atom)
    if atom in s.heap:
        work.append(atom)


def _is_of_work(s: State, edge: Edge) -> bool:
    """Whether an object is kept for one piece of work, which belongs to somebody."""
    return any(name.strip("_").endswith(s.models.work) for name in _named_in(edge.frame, edge.effect))


def _kept_in(edge: Edge | None) -> str:
    """Where an object lives on, as the code says it."""
    span = getattr(edge.effect.place, "span", 0) if edge is not None else 0
    text = edge.frame.info.module.source(span) if edge is not None and span else ""
    return f"`{text}` keeps it beyond the request" if text else "it is kept by something that outlives the request"


def _named_in(frame: Frame, effect: Effect) -> set[str]:
    """The names in the key that an item is stored under, and in what that was bound to."""
    if effect.key_term is None or effect.field[:1] != "[":
        return set()
    function, found = frame.info.function, names(effect.key_term)
    for ident in [name for name in found if name in function.bound]:
        for position in frame.info.reaching(ident, effect.position)[0]:
            op = function.ops[position]
            found |= names(op.value) if isinstance(op, Bind) and op.how is How.ASSIGN else set()
    return found


def _lists(holder: Holder) -> bool:
    """Whether it is a mere collection: an object of one session stays that, also where all sessions are listed."""
    return isinstance(holder, Instance) and holder.cls is None


def _is_filed(effect: Effect) -> bool:
    """Whether an item is stored under a key that is computed, and of which nothing is known."""
    if effect.field != ITEMS or effect.key_term is None or isinstance(effect.key_term, Const):
        return False
    return all(isinstance(atom, Anything) for atom in effect.key)


def _is_opened(s: State, mapping: Holder, effect: Effect) -> bool:
    """Whether a mapping made the item by itself, and not for one of a few keys that the code names."""
    kind = s.models.type(mapping.fqn) if isinstance(mapping, Instance) else None
    if kind is None or not kind.fills or effect.how != "setdefault" or effect.field != ITEMS:
        return False
    return not _is_constant(effect.key)


def _is_lazy(s: State, edge: Edge) -> bool:
    return is_guarded(edge.frame.info.function, edge.effect.position, edge.effect.place, edge.effect.how)


def _is_of_one_request(s: State, edge: Edge, atom: Instance) -> bool:
    return bool(evaluate.carried(s, None, frozenset((atom,)))) or keeps_outlet(s, edge.frame, edge.effect)


def is_identity(s: State, effect: Effect) -> bool:
    """Whether a write goes under a key that only this user or session has."""
    if effect.field[:1] != "[":
        return False
    for atom in effect.key | _composed(s, effect.key):
        if isinstance(atom, Taint) and atom.strength is Strength.IDENTITY:
            return True
        if isinstance(atom, Ambient) or (isinstance(atom, Token) and atom.phase is REQUEST):
            return True
    return effect.key_term is not None and not isinstance(effect.key_term, Const) and bool(named_id(s, effect.key_term))


def _composed(s: State, key: Value) -> Value:
    """What the tuples in a key are made of."""
    tuples = (s.born.get(a, {}) for a in key if isinstance(a, Instance) and a.fqn == "builtins.tuple")
    return NOTHING.union(*(value for fields in tuples for value in fields.values()))


def named_id(s: State, term: Term) -> str:
    """The concept of the id that a term names, if it names one."""
    match term:
        case Name(id=name) | Attr(name=name):
            return s.models.concept(name)
        case Item(key=Const(value=str(name))):
            return s.models.concept(name)
        case Call(args=(first, *_)):
            return named_id(s, first)
        case _:
            return ""
