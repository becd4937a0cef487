"""Caches whose results depend on who asks while their keys do not say it.

Takes a solved program and gives suspects: memoising decorators, caches of frameworks, shared dicts and stores of other
processes that a function looks up before it fills them. Nothing here words a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from leaklint.index.summary import Attr, Await, Bind, Call, Const, How, Item, Name, Star, Term, inside
from leaklint.models import CallModel
from leaklint.project import evaluate
from leaklint.project.lifetimes import Lifetimes, concurrent, isolated, named_id
from leaklint.project.lookups import deciding, matches
from leaklint.project.needs import Need, needs, read_by
from leaklint.project.program import FunctionInfo
from leaklint.project.races import has_state
from leaklint.project.routes import Routes
from leaklint.project.spots import conditions, names, origins
from leaklint.project.state import ITEMS, Effect, Frame, State
from leaklint.project.stores import derived, holds
from leaklint.project.suspect import Access, CacheSuspect, Strength
from leaklint.project.terms import shape
from leaklint.project.values import Ambient, Instance, Literal, Phase, Taint, Value

_COVERED = {  # which concepts a key that holds one of the first keeps apart as well
    "session": ("session", "user", "tenant", "credential", "connection"),
    "connection": ("session", "user", "tenant", "credential", "connection"),
    "request": ("session", "user", "tenant", "credential", "connection", ""),
    "user": ("user", "tenant", "credential"),
    "credential": ("user", "tenant", "credential"),
    "tenant": ("tenant",),
}
_ASKERS = ("session", "user", "tenant", "credential")
_NAMES = ("name", "login")  # words at the end of a name's name
_OWN_KEYS = ("key", "vary", "unless", "hash")  # in keywords of decorators: what the key is made of is said there


def blind_caches(s: State, lives: Lifetimes, ways: Routes) -> Iterator[CacheSuspect]:
    """All suspects of this kind, one for each cache."""
    yield from _decorated(s, lives, ways)
    seen: set[tuple[FunctionInfo, int]] = set()
    for frame in ways.before:
        for effect in frame.effects:
            key = (frame.info, effect.position)
            if key not in seen and (found := _stored(s, lives, ways, frame, effect)):
                seen.add(key)
                yield found
        for effect in _set_in_stores(s, frame):
            key = (frame.info, effect.position)
            if key not in seen and (found := _of_key(s, lives, ways, frame, effect)):
                seen.add(key)
                yield found


# --- decorators -----------------------------------------------------------------------------------------------------


def _decorated(s: State, lives: Lifetimes, ways: Routes) -> Iterator[CacheSuspect]:
    for info, (decorator, outer) in s.memoised.items():
        model = _model(s, outer, decorator)
        frames = ways.frames_of.get(info, [])
        if model is None or not frames or _is_told(model.apart, decorator) or _has_own_key(info, decorator):
            continue
        for frame in frames:
            missing = _missing(needs(s, frame), _covered(s, lives, frame, model), frame)
            if model.keyed == "url" or _is_told(model.query, decorator):
                missing = [need for need in missing if need.concept]  # the query is part of the address
            if missing:
                yield _of_decorator(ways, frame, outer, decorator, model, missing)
                break


def _model(s: State, outer: Frame, decorator: Term) -> CallModel | None:
    func = decorator.func if isinstance(decorator, Call) else decorator
    end = max(len(outer.info.function.ops) - 1, 0)
    for maker in evaluate.evaluate(s, outer, func, end):
        fqn = getattr(maker, "fqn", "")
        model = s.models.call(fqn) if fqn else None
        if model is not None and model.memo:
            return model
    return None


def _is_told(said: str, decorator: Term) -> bool:
    """Whether the decorator is called with a keyword and value, as a model writes them: `scope=session`."""
    name, _, value = said.partition("=")
    given = [v for k, v in decorator.keywords if k == name] if isinstance(decorator, Call) else []
    return any(isinstance(v, Const) and str(v.value) == value for v in given)


def _has_own_key(info: FunctionInfo, decorator: Term) -> bool:
    names = [k or "" for k, _ in decorator.keywords] if isinstance(decorator, Call) else []
    names += [_last(d.func if isinstance(d, Call) else d) for d in info.function.decorators if d is not decorator]
    return any(word in name.split("_") for name in names for word in _OWN_KEYS)


def _last(term: Term) -> str:
    return term.name if isinstance(term, Attr) else term.id if isinstance(term, Name) else ""


def _covered(s: State, lives: Lifetimes, frame: Frame, model: CallModel) -> set[str]:
    """The concepts that the key of a memoised call keeps apart."""
    found: set[str] = set()
    for param in frame.info.function.params:
        value = frame.args.get(param.name, frozenset())
        if model.unkeyed and param.name.startswith(model.unkeyed):
            continue
        if model.keyed and any(_is_request(s, a) for a in value):
            continue
        found.update(_covering(s, value, param.name))
        if model.keyed in ("path", "url"):
            continue  # whatever object the method belongs to
        if param.name == frame.info.function.params[0].name and _is_own(lives, frame):
            found.update(_COVERED["request"])
    return found


def _is_own(lives: Lifetimes, frame: Frame) -> bool:
    """Whether the method belongs to an object of one request or session: `self` is part of the key."""
    receiver = frame.receiver
    return isinstance(receiver, Instance) and receiver.phase is Phase.REQUEST and lives.why(receiver) is None


def _is_request(s: State, atom: object) -> bool:
    kind = s.models.type(atom.fqn) if isinstance(atom, Instance) and atom.fqn else None
    return kind is not None and kind.holds == "request"


def _covering(s: State, value: Value, name: str) -> set[str]:
    concepts = {s.models.concept(name)}
    for atom in value:
        if isinstance(atom, Taint):
            concepts.add(
                atom.concept if atom.concept in _COVERED or atom.strength is not Strength.IDENTITY else "session"
            )
        elif _is_request(s, atom):
            concepts.add("request")
    concepts.update(t.concept for t in evaluate.carried(s, None, value, 2))
    return {covered for concept in concepts for covered in _COVERED.get(concept, ())}


def _missing(found: Iterable[Need], covered: set[str], frame: Frame) -> list[Need]:
    """The needs that the key does not cover; other request data counts only when it is read by the function itself."""
    own = [n for n in found if n.concept not in covered and (n.concept or n.frame is frame)]
    named: dict[str, Need] = {}
    for need in sorted(own, key=lambda n: not n.concept):
        named.setdefault(need.text, need)
    return list(named.values())


def _of_decorator(
    ways: Routes, frame: Frame, outer: Frame, decorator: Term, model: CallModel, missing: list[Need]
) -> CacheSuspect:
    info, module = frame.info, outer.info.module
    span = module.span(getattr(decorator, "span", info.function.head))
    called = decorator not in info.function.decorators
    keyed = {"path": "the path of the request", "url": "the address of the request"}
    by = keyed.get(model.keyed) or _listed_params(frame, model)
    return CacheSuspect(
        function=info.qualname,
        span=span,
        statement=span if called else module.span(info.function.head),
        route=ways.route(frame),
        name=info.function.name,
        key=by,
        needs=tuple(n.text for n in missing),
        concept=missing[0].concept,
        source=missing[0].module.span(missing[0].span),
        form="decorator",
        sure=bool(missing[0].concept),
    )


def _listed_params(frame: Frame, model: CallModel) -> str:
    names = [p.name for p in frame.info.function.params if not (model.unkeyed and p.name.startswith(model.unkeyed))]
    return ", ".join(f"`{n}`" for n in names)


# --- dicts ----------------------------------------------------------------------------------------------------------


def _stored(s: State, lives: Lifetimes, ways: Routes, frame: Frame, effect: Effect) -> CacheSuspect | None:
    if effect.access is not Access.STORE or effect.field[:1] != "[" or effect.how != "item":
        return None
    term, holder = effect.key_term, effect.holder
    if term is None or isinstance(term, Const) or (all(isinstance(a, Literal) for a in effect.key) and effect.key):
        return None
    if not isinstance(holder, Instance) or lives.why(holder) is None or isolated(s, holder) or concurrent(s, holder):
        return None
    key = shape(frame.info, term, effect.position)
    if not any(matches(r, holder, effect.field, key) for r in deciding(s, frame, effect.position)):
        return None
    covered = _covered_by(s, effect)
    if _is_name(term) and not {"tenant", "session"} & _concepts(effect.key):
        covered.discard("tenant")  # two tenants may have users of one name
    if any(isinstance(a, Ambient) for a in effect.key):
        return None
    ids = covered or any(n.lower().endswith("id") for n in origins(frame.info, term, effect.position))
    if ids and any(has_state(s, a) for a in effect.value):
        return None  # a register of things by their ids, whoever brought them in first
    missing = list(_value_needs(s, frame, effect, covered)) or list(_fetched(s, lives, frame, effect, covered))
    return _of_dict(ways, frame, effect, missing) if missing else None


def _covered_by(s: State, effect: Effect) -> set[str]:
    """The concepts that a key keeps apart, by its value and by what it is called."""
    assert effect.key_term is not None
    said = (_COVERED.get(c, ()) for c in _said_in(s, effect.key_term))
    return _covering(s, effect.key, _last(effect.key_term)).union(*said)


def _set_in_stores(s: State, frame: Frame) -> Iterator[Effect]:
    """Values that a function puts under a key of a store which it has looked up before, as writes of its own."""
    looked_up: dict[str, list[tuple[Call, object]]] = defaultdict(list)
    for _, made in sorted(frame.made.items()):
        call, at = made.term, made.position
        for fqn in made.external if call.args else ():
            owner, _, method = fqn.rpartition(".")
            kind = s.models.type(owner)
            if kind is None or kind.database or kind.documents or kind.row:
                continue
            key = shape(frame.info, call.args[0], at)
            if method in kind.reads:
                looked_up[owner].append((call, key))
            elif method in kind.inserts and len(call.args) > 1:
                if any(known == key and _decides(frame.info, read, at) for read, known in looked_up[owner]):
                    yield _as_write(s, frame, call, at)


def _decides(info: FunctionInfo, read: Call, position: int) -> bool:
    """Whether what was looked up decides that an operation is done."""
    found = derived(info, read)
    return any(names(test) & found or holds(test, read) for test, _ in conditions(info, position))


def _as_write(s: State, frame: Frame, call: Call, at: int) -> Effect:
    key, value = call.args[0], call.args[1]
    base = call.func.base if isinstance(call.func, Attr) else call.func
    values = (evaluate.evaluate(s, frame, key, at), evaluate.evaluate(s, frame, value, at))
    return Effect(Access.STORE, frame, ITEMS, base, values[0], key, values[1], value, "item", call.span, at)


def _of_key(s: State, lives: Lifetimes, ways: Routes, frame: Frame, effect: Effect) -> CacheSuspect | None:
    if any(isinstance(a, Ambient) for a in effect.key):
        return None
    missing = list(_value_needs(s, frame, effect, _covered_by(s, effect)))
    return _of_dict(ways, frame, effect, missing) if missing else None


def _said_in(s: State, term: Term) -> Iterator[str]:
    """The concepts that a key names on its way: `api_key` and what `key_id` is in `api_key.key_id`."""
    yield s.models.concept(_last(term).removesuffix("_key"))  # `user_key` says which user
    while isinstance(term, (Attr, Item)):
        yield named_id(s, term)
        term = term.base
    yield named_id(s, term)
    for part in getattr(term, "parts", ()) or getattr(term, "values", ()):
        yield from _said_in(s, part)


def _value_needs(s: State, frame: Frame, effect: Effect, covered: set[str]) -> Iterator[Need]:
    """What the stored value depends on: request data in it, and what the calls that make it read for themselves."""
    module, span = frame.info.module, getattr(effect.value_term, "span", 0) or effect.span
    given = _given_beside(s, frame, effect)
    own = {need.concept for need in read_by(s, frame)}
    for taint in sorted(_depended(s, frame, effect), key=lambda t: t.concept):
        if not given and taint.concept not in own:
            continue  # made of what the key is made of
        if taint.strength is not Strength.IDENTITY or taint.concept in covered or taint.concept not in _ASKERS:
            continue
        if taint.concept in given or taint.concept != "session":  # a session that is made here is nobody's yet
            yield Need(taint.concept, _said(s, frame, effect, taint.concept), module, span, frame)
    for call in _makers(frame.info, effect):
        made = frame.made.get(call.order)
        for target in made.targets if made is not None else ():
            yield from (n for n in needs(s, target) if n.concept and n.concept not in covered)


def _is_name(term: Term) -> bool:
    """Whether a key is somebody's or something's name, which is told apart from others in one place only."""
    return isinstance(term, (Name, Attr)) and _last(term).lower().endswith(_NAMES)


def _concepts(value: Value) -> set[str]:
    return {a.concept for a in value if isinstance(a, Taint)}


def _fetched(s: State, lives: Lifetimes, frame: Frame, effect: Effect, covered: set[str]) -> Iterator[Need]:
    """What was fetched under a name through an object that the caller made for one tenant or with its credentials."""
    assert effect.key_term is not None
    if not _is_name(effect.key_term) or "tenant" in covered:
        return
    info, keyed = frame.info, _names(frame.info, effect.key_term, effect.position)
    for name in sorted(_bases(info, effect) - keyed):
        for atom in frame.args.get(name, ()):
            if not isinstance(atom, Instance) or atom.phase is not Phase.REQUEST or lives.why(atom) is not None:
                continue
            taints = evaluate.carried(s, None, frozenset((atom,)))
            if any(t.concept == "tenant" and t.strength is Strength.IDENTITY for t in taints):
                span = getattr(effect.value_term, "span", 0) or effect.span
                yield Need("tenant", name, info.module, span, frame)
                return


def _bases(info: FunctionInfo, effect: Effect) -> set[str]:
    """The names of objects whose methods give the stored value, also through what local names hold."""
    found: set[str] = set()
    work = [(call, effect.position) for call in _makers(info, effect)]
    seen: set[str] = set()
    for call, at in work:
        base = call.func.base if isinstance(call.func, Attr) else None
        if not isinstance(base, Name) or base.id in seen:
            continue
        seen.add(base.id)
        binds, initial = info.reaching(base.id, at)
        if initial and base.id in info.param_names:
            found.add(base.id)
        for bind in binds:
            value = getattr(info.function.ops[bind], "value", None)
            value = value.value if isinstance(value, Await) else value
            if isinstance(value, Call):
                work.append((value, bind))
    return found


def _depended(s: State, frame: Frame, effect: Effect) -> Iterable[Taint]:
    """The request data that the value is made of, without the arguments that the key is made of too."""
    assert effect.key_term is not None
    whole = evaluate.carried(s, None, effect.value)
    makers = list(_makers(frame.info, effect))
    if not makers:
        return whole
    key = shape(frame.info, effect.key_term, effect.position)
    parts = (key, *key) if isinstance(key, tuple) else (key,)
    found: set[Taint] = set()
    for call in makers:
        at = frame.made[call.order].position if call.order in frame.made else effect.position
        base = (call.func.base,) if isinstance(call.func, Attr) else ()
        for arg in (*base, *call.args, *(v for _, v in call.keywords)):
            term = arg.value if isinstance(arg, Star) else arg
            if shape(frame.info, term, at) not in parts:
                found.update(evaluate.carried(s, None, evaluate.evaluate(s, frame, term, at)))
    return found & whole


def _given_beside(s: State, frame: Frame, effect: Effect) -> set[str]:
    """The concepts of the request data that a function is given and that its key is not made of."""
    keyed = _names(frame.info, effect.key_term, effect.position)
    values = [value for name, value in frame.args.items() if name not in keyed]
    return {t.concept for value in values for t in evaluate.carried(s, None, value)}


def _names(info: FunctionInfo, term: Term | None, at: int, deep: int = 3) -> set[str]:
    """The names that a term is made of, and those that its local names are made of."""
    if isinstance(term, Name):
        found = {term.id}
        for position in info.reaching(term.id, at)[0] if deep and term.id in info.function.bound else ():
            found |= _names(info, getattr(info.function.ops[position], "value", None), position, deep - 1)
        return found
    return set().union(*(_names(info, part, at, deep) for part in inside(term))) if term is not None else set()


def _said(s: State, frame: Frame, effect: Effect, concept: str) -> str:
    """The name of a parameter or local of the concept that the value is made of; else the concept."""
    for call in _makers(frame.info, effect):
        for arg in (*call.args, *(v for _, v in call.keywords)):
            if named_id(s, arg) == concept:
                return frame.info.module.source(getattr(arg, "span", 0))
    return concept


def _makers(info: FunctionInfo, effect: Effect) -> Iterator[Call]:
    """The calls whose results are stored, on any way to the store."""
    work = [(effect.value_term, effect.position)]
    seen: set[int] = set()
    while work:
        term, position = work.pop()
        if isinstance(term, Await):
            term = term.value
        if isinstance(term, Call):
            yield term
        elif isinstance(term, Name) and term.id in info.function.bound:
            for bind in info.reaching(term.id, position)[0]:
                op = info.function.ops[bind]
                if isinstance(op, Bind) and op.how is How.ASSIGN and bind not in seen:
                    seen.add(bind)
                    work.append((op.value, bind))


def _of_dict(ways: Routes, frame: Frame, effect: Effect, missing: list[Need]) -> CacheSuspect:
    info, module = frame.info, frame.info.module
    place = effect.place.base if isinstance(effect.place, Item) else effect.place
    return CacheSuspect(
        function=info.qualname,
        span=module.span(effect.span),
        statement=module.span(info.function.ops[effect.position].span),
        route=ways.route(frame),
        name=module.source(getattr(place, "span", 0)),
        key=f"`{module.source(getattr(effect.key_term, 'span', 0))}`",
        needs=tuple(dict.fromkeys(n.text for n in missing)),
        concept=missing[0].concept,
        source=missing[0].module.span(missing[0].span),
        form="dict",
        sure=True,
    )
