"""Whose a session is: sessions kept for a key that many share, and sessions given to whoever names their id.

Takes a solved program and gives suspects. Whether a principal is authentic is not asked: what a dependency or a login
decorator provides is taken to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Bind, Blend, Call, Const, Display, Item, Name, Param, Range, Term, walk
from leaklint.project import annotated, evaluate
from leaklint.project.ambient import own_params
from leaklint.project.id_uses import map_concept
from leaklint.project.lifetimes import Lifetimes, isolated
from leaklint.project.lookups import in_term
from leaklint.project.needs import needs
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.spots import Spot, around, names, spots
from leaklint.project.state import Effect, Frame, State
from leaklint.project.store_access import Stores
from leaklint.project.suspect import Access, CredentialSuspect, OwnerSuspect
from leaklint.project.terms import Shape, shape
from leaklint.project.values import Instance, Phase, Value

_SHARED_KEYS = (
    "api_key",
    "apikey",
    "x_api_key",
    "api_token",
    "license_key",
    "account",
    "account_id",
    "service_account",
)
_SESSION_CLASSES = ("Session", "Conversation", "Chat", "Thread", "Dialog", "Memory", "History", "Agent", "Assistant")
_ASIDE = ("auth", "limit", "limiter", "quota", "usage", "rate", "bucket", "login", "token", "permission", "http")
_LOGINS = ("login_required", "jwt_required", "token_required", "requires_auth", "auth_required", "authenticated")
_TRUSTED = ("admin", "superuser", "staff", "service", "internal", "system", "owner", "permission", "access")


# --- a session for a key that many share ------------------------------------------------------------------------------


def sessions_of_keys(s: State, lives: Lifetimes, ways: Routes, plan: Schedule) -> Iterator[CredentialSuspect]:
    """Maps of sessions or conversations under an API key or account alone, one suspect for each map."""
    seen: set[tuple[object, str]] = set()
    for frame in sorted(ways.before, key=lambda f: ways.distance[f]):
        if not plan.concurrent(frame):
            continue
        if frame.info in s.memoised and (frame.info, "") not in seen and (found := _memoised(s, ways, frame)):
            seen.add((frame.info, ""))
            yield found
        for effect in frame.effects:
            suspect = _of_key(s, lives, ways, frame, effect)
            if suspect is not None and (effect.holder, suspect.name) not in seen:
                seen.add((effect.holder, suspect.name))
                yield suspect


def _memoised(s: State, ways: Routes, frame: Frame) -> CredentialSuspect | None:
    """A memoising function that makes a session for each key, which is all that it is asked with."""
    info, (decorator, outer) = frame.info, s.memoised[frame.info]
    own = [p for p in info.function.params if p.name in own_params(info)]
    at = max(len(info.function.ops) - 1, 0)
    if len(own) != 1 or not _is_shared_key(s, Name(own[0].name, own[0].span), frame, at):
        return None
    if _is_aside(info.function.name) or not _are_sessions(s, info.function.name, frame.returns):
        return None
    module = outer.info.module
    span = module.span(getattr(decorator, "span", info.function.head))
    called = decorator not in info.function.decorators
    return CredentialSuspect(
        function=info.qualname,
        span=span,
        statement=span if called else module.span(info.function.head),
        route=ways.route(frame),
        name=info.function.name,
        key=own[0].name,
        written=module.source(getattr(decorator, "span", info.function.head)),
        created=None,
    )


def _of_key(s: State, lives: Lifetimes, ways: Routes, frame: Frame, effect: Effect) -> CredentialSuspect | None:
    holder, term = effect.holder, effect.key_term
    if effect.access is Access.DELETE or term is None or not isinstance(holder, Instance) or effect.field[:1] != "[":
        return None
    if lives.why(holder) is None or isolated(s, holder) or not _is_shared_key(s, term, frame, effect.position):
        return None
    module = frame.info.module
    place = effect.place.base if isinstance(effect.place, Item) else effect.place
    if not _holds_sessions(s, place, effect):
        return None
    return CredentialSuspect(
        function=frame.info.qualname,
        span=module.span(effect.span),
        statement=module.span(frame.info.function.ops[effect.position].span),
        route=ways.route(frame),
        name=module.source(getattr(place, "span", 0)),
        key=module.source(getattr(term, "span", 0)),
        written=module.source(effect.span),
        created=holder.module.span(holder.span) if holder.span else None,
    )


def _is_shared_key(s: State, term: Term, frame: Frame, at: int) -> bool:
    """Whether a key is an API key or account and nothing else."""
    match term:
        case Name(id=name):
            if name.lower().strip("_") in _SHARED_KEYS:
                return True
            binds = frame.info.reaching(name, at)[0] if name in frame.info.function.bound else ()
            op = frame.info.function.ops[binds[-1]] if binds else None
            return (
                isinstance(op, Bind)
                and not isinstance(op.value, Name)
                and _is_shared_key(s, op.value, frame, binds[-1])
            )
        case Attr(base=base, name=name):
            if name.lower().strip("_") in _SHARED_KEYS:
                return True
            return s.models.concept(name) in ("", "credential") and _is_shared_key(s, base, frame, at)
        case Item(key=Const(value=str(name))):
            return name.lower().replace("-", "_") in _SHARED_KEYS
        case Call(args=(first,)):
            return _is_shared_key(s, first, frame, at)
        case Blend(op="fstring", parts=parts):
            computed = [p for p in parts if not isinstance(p, Const)]
            return len(computed) == 1 and _is_shared_key(s, computed[0], frame, at)
        case _:
            return False


def _holds_sessions(s: State, place: Term, effect: Effect) -> bool:
    """Whether what a map keeps is one run of somebody's, by its name, its values' name or their class."""
    name = _last(place)
    value = _last(effect.value_term) if effect.value_term is not None else ""
    if _is_aside(name) or _is_aside(value):
        return False
    return map_concept(s.models, name) == "session" or _are_sessions(s, value, effect.value)


def _are_sessions(s: State, name: str, value: Value) -> bool:
    """Whether something of this name and value is one run of somebody's."""
    classes = {_class_name(a) for a in value if isinstance(a, Instance)}
    if any(_is_aside(c) for c in classes):
        return False
    types = [s.models.type(a.fqn) for a in value if isinstance(a, Instance) and a.fqn]
    return (
        s.models.concept(name) == "session"
        or any(c.endswith(_SESSION_CLASSES) for c in classes)
        or any(t is not None and t.conversation for t in types)
    )


def _class_name(atom: Instance) -> str:
    return atom.cls.info.summary.name if atom.cls is not None else atom.fqn.rpartition(".")[2]


def _is_aside(name: str) -> bool:
    plain = "".join(f"_{c}" if c.isupper() else c for c in name).lower()
    return any(word in _ASIDE for word in plain.split("_"))


def _last(term: Term) -> str:
    return term.name if isinstance(term, Attr) else term.id if isinstance(term, Name) else ""


# --- a session for whoever names it -----------------------------------------------------------------------------------


class Given(NamedTuple):
    """What an entry point is given: ids that the client says, and who the client is."""

    ids: dict[Shape, Param]
    principals: list[str]  # parameter names; empty when only a decorator asks for a login
    login: str  # that decorator


def unchecked_owners(s: State, lives: Lifetimes, ways: Routes, stores: Stores) -> Iterator[OwnerSuspect]:
    """Look-ups of sessions by an id of the client's, where the principal at hand is asked nothing; one an entry."""
    for frame in ways.before:
        if frame.entry is None:
            continue
        given = _given(s, frame)
        if given is None or _is_asked(s, frame, given) or _checked_before(s, frame, given):
            continue
        found = next(_look_ups(s, lives, frame, given), None) or next(_of_rows(stores, frame, given), None)
        if found is not None:
            yield _of_owner(ways, frame, given, *found)


def _given(s: State, frame: Frame) -> Given | None:
    info, env = frame.info, frame.env
    if env is None:
        return None
    injected = {p.name: p for p in info.function.params if _is_injected(s, env, p)}
    principals = [name for name in injected if _is_principal(s, name)]
    login = next((n for d in info.function.decorators if (n := _decorator(d)) in _LOGINS), "")
    if not (principals or login) or _is_trusted(info, injected.values()):
        return None
    at = max(len(info.function.ops) - 1, 0)
    ids = {
        shape(info, Name(p.name, p.span), at): p
        for p in info.function.params
        if p.name not in injected
        and s.models.concept(p.name) == "session"
        and p.name.lower().endswith(("id", "uuid", "key"))
    }
    return Given(ids, principals, login) if ids else None


def _is_injected(s: State, env: Frame, param: Param) -> bool:
    """Whether a framework provides a parameter by a function of the program or of its own."""
    scope, term = annotated.resolve_alias(s, env, param.annotation) if param.annotation is not None else (env, None)
    marked = term.key.values[1:] if isinstance(term, Item) and isinstance(term.key, Display) else ()
    for frame, marker in ((env, param.default), *((scope, m) for m in marked)):
        if isinstance(marker, Call):
            makers = evaluate.evaluate(s, frame, marker.func, max(len(frame.info.function.ops) - 1, 0))
            models = [s.models.call(getattr(m, "fqn", "")) for m in makers]
            if any(m is not None and m.inject for m in models):
                return True
    return False


def _is_principal(s: State, name: str) -> bool:
    return s.models.concept(name) in ("user", "credential") or name in ("me", "claims", "viewer", "caller")


def _decorator(term: Term) -> str:
    return _last(term.func if isinstance(term, Call) else term)


def _is_trusted(info: FunctionInfo, injected: Iterable[Param]) -> bool:
    """Whether the entry is for those who may see all sessions, or something else already decides."""
    said = [info.function.name, *(_decorator(d) for d in info.function.decorators)]
    for param in injected:
        said.append(param.name)
        for term in (param.default, param.annotation):
            said += [*names(term), *(v.name for v in _attributes(term))] if term is not None else []
    words = {word for name in said for word in name.lower().split("_")}
    return bool(words.intersection(_TRUSTED))


def _attributes(term: Term) -> Iterator[Attr]:
    return (node for node in walk((term,)) if isinstance(node, Attr))


def _is_asked(s: State, frame: Frame, given: Given) -> bool:
    """Whether something is done with the principal that may be a check."""
    if given.login and not given.principals:
        return any(n.concept in ("user", "session", "credential") for n in needs(s, frame))
    known = _derived(frame.info, given.principals)
    return any(
        isinstance(spot.term, Name) and spot.term.id in known and _decides(s, frame, spot) for spot in spots(frame.info)
    )


def _derived(info: FunctionInfo, principals: list[str]) -> set[str]:
    """The parameters and the local names that are made of them."""
    found = set(principals)
    for op in info.function.ops:
        if isinstance(op, Bind) and isinstance(op.target, Name) and names(op.value) & found:
            found.add(op.target.id)
    return found


def _decides(s: State, frame: Frame, spot: Spot) -> bool:
    """Whether a principal is compared, is a key, or goes to a call that may look at it."""
    for at in (spot, *around(spot)):
        if at.role in ("test", "key", "store-key"):
            return True
        if at.role in ("arg", "keyword", "spread") and at.outer is not None and isinstance(at.outer.term, Call):
            made = frame.made.get(at.outer.term.order)
            models = [s.models.call(f) for f in (made.external if made is not None else ())]
            if not (models and all(m is not None and (m.log or m.gives == "neutral") for m in models)):
                return True
    return False


def _checked_before(s: State, frame: Frame, given: Given) -> bool:
    """Whether a dependency of the entry takes the id as well, and may have refused it."""
    asked = {p.name for p in given.ids.values()}
    return any(
        frame in other.callers and other in s.filled and asked & other.info.param_names
        for other in s.frames
        if other.phase is frame.phase
    )


def _look_ups(s: State, lives: Lifetimes, frame: Frame, given: Given) -> Iterator[tuple[Range, int, Param]]:
    for spot in spots(frame.info):
        if not isinstance(spot.term, (Call, Item)):
            continue
        for read in in_term(s, frame, spot.term, spot.position):
            if read.key in given.ids and _keeps_sessions(s, lives, read.holders):
                yield spot.span, spot.position, given.ids[read.key]


def _of_rows(stores: Stores, frame: Frame, given: Given) -> Iterator[tuple[Range, int, Param]]:
    """Rows that are looked for by an id of the client's, in the entry point or what it calls."""
    for access in stores.accesses(frame):
        asked = [given.ids[part] for part in access.key if part in given.ids] if not access.writes else []
        if access.row is not None and asked:
            own = access.doer is frame.info
            yield access.span if own else access.call.span, access.position, asked[0]


def _keeps_sessions(s: State, lives: Lifetimes, holders: Value) -> bool:
    held = [h for h in holders if isinstance(h, Instance) and not isolated(s, h)]
    return any(h.phase is Phase.SETUP or lives.why(h) is not None for h in held)


def _of_owner(ways: Routes, frame: Frame, given: Given, span: Range, position: int, param: Param) -> OwnerSuspect:
    info, module = frame.info, frame.info.module
    principal = next((p for p in info.function.params if p.name in given.principals), None)
    source = principal.span if principal is not None else info.function.head
    return OwnerSuspect(
        function=info.qualname,
        span=module.span(span),
        statement=module.span(info.function.ops[position].span),
        route=ways.route(frame),
        name=param.name,
        look_up=module.source(span),
        principal=principal.name if principal is not None else given.login,
        source=module.span(source),
        form="parameter" if principal is not None else "decorator",
    )
