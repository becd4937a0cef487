"""A slot of a shared object that requests overwrite, to a local variable of each request.

A method that stores the slot gets a local in its place, methods that it calls and that read the slot get a parameter,
other readers start from the value that `__init__` gave. What is meant to outlive the call is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, flow, imports, offer, parameter
from leaklint.codemods.calls import SelfCall, refuse_other_callers, self_calls, superclasses
from leaklint.codemods.scope import free_name, function_of, names_in, parameters
from leaklint.codemods.uses import GROWING, PLAIN_BASES, Act, Site, Slot, init_of, slot_of
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import Place, Use
from leaklint.syntax import REMOVE, Files, NotAnalysed, Replacement, Statement, Syntax

_EMPTY_DICTS = frozenset({"{}", "dict()"})
_BUILDERS = frozenset({"dict", "list", "set", "defaultdict", "deque", "OrderedDict", "Counter"})
_KEEPERS = GROWING | {"put", "put_nowait", "register", "subscribe", "add_listener"}


def keep_in_request(place: Place, uses: Sequence[Use], files: Files) -> Fix:
    """Keep the slot of `place` in request-local variables; `uses` is every occurrence of it in the program.

    Safe where one user alone sees no difference; suggested where a method that does not store the slot may have read
    what an earlier call left there, or classes that are not of the program may know the slot.
    """
    title = f"Keep `{place.slot}` in a request-local variable"
    try:
        plan = _plan(slot_of(place, uses, files), files)
    except (Refused, NotAnalysed) as reason:
        return Fix(title, Safety.SAFE, refused=str(reason))
    return offer(title, plan.safety, lambda: _edits(plan))


class _Initial(Struct, frozen=True):
    """What the slot holds in a new object."""

    text: str  # empty when it is not known
    store: Site | None  # in `__init__`
    annotation: str


class _Roles(Struct, frozen=True):
    """What each method has to do with the slot. The sets are apart; `__init__` is in none."""

    writers: tuple[cst.FunctionDef, ...]
    threaded: tuple[cst.FunctionDef, ...]  # get the value as a parameter
    outsiders: tuple[cst.FunctionDef, ...]  # start from the initial value
    cleaners: tuple[cst.FunctionDef, ...]  # do nothing but reset the slot
    calls: tuple[SelfCall, ...]  # of the threaded methods


class _Local(Struct, frozen=True):
    """How one method comes by its variable."""

    name: str
    created: Site | None = None  # the item store that becomes `name = {key: value}`
    above: Statement | None = None  # the statement above which `name = initial` goes
    dropped: Site | None = None  # a store of a parameter, which serves as the variable itself


class _Plan(Struct, frozen=True):
    slot: Slot
    initial: _Initial
    roles: _Roles
    name: str
    locals: dict[cst.FunctionDef, _Local]
    safety: Safety


# --- planning ----------------------------------------------------------------------------------------------------


def _plan(slot: Slot, files: Files) -> _Plan:
    initial = _initial(slot)
    foreign = superclasses(slot.owner, files)[1] - PLAIN_BASES
    if foreign and initial.store is None and not slot.name.startswith("_"):
        raise Refused(f"`{sorted(foreign)[0]}` may use `{slot.name}`: {slot.syntax.site(slot.owner)}")
    roles = _roles(slot, initial, files)
    if not roles.writers:
        raise Refused(f"nothing but first values is stored in `{slot.name}`: {slot.syntax.site(slot.owner)}")
    concerned = (
        *(m for m in roles.writers if not _stores_its_parameter(slot, initial, m)),
        *roles.threaded,
        *roles.outsiders,
    )
    taken = {name for method in concerned for name in names_in(slot.syntax, method)}
    name = free_name(slot.name, taken)
    locals_ = {method: _writer_local(slot, initial, roles, method, name) for method in roles.writers}
    locals_ |= {method: _Local(name) for method in roles.threaded}
    locals_ |= {method: _outsider_local(slot, initial, roles, method, name) for method in roles.outsiders}
    return _Plan(slot, initial, roles, name, locals_, _safety(slot, initial, roles))


def _initial(slot: Slot) -> _Initial:
    """Raises Refused where `__init__` does more with the slot than to give it a plain value."""
    syntax, init = slot.syntax, init_of(slot.owner)
    sites = [site for site in slot.sites if site.method is init]
    declared = slot.declaration.value if slot.declaration is not None else None
    annotation = _annotation(syntax, slot.declaration)
    if not sites:
        return _Initial(_plain(syntax, declared, slot.name) if declared else "", None, annotation)
    store, *others = sites
    if others or store.act is not Act.STORE or store.statement is None or store.value is None:
        raise Refused(f"`__init__` uses `{slot.name}` itself at {syntax.site(sites[-1].node)}")
    if init is None or syntax.parent(syntax.statement(store.node)) is not init.body:
        raise Refused(f"`__init__` does not always set `{slot.name}` at {syntax.site(store.node)}")
    return _Initial(_plain(syntax, store.value, slot.name), store, _annotation(syntax, store.statement) or annotation)


def _annotation(syntax: Syntax, statement: cst.CSTNode | None) -> str:
    return syntax.code(statement.annotation.annotation) if isinstance(statement, cst.AnnAssign) else ""


def _plain(syntax: Syntax, value: cst.BaseExpression, slot: str) -> str:
    """The text of a value that costs nothing to make again. Raises Refused for any other."""
    for node in syntax.walk(value):
        match node:
            case cst.Call(func=cst.Name(value=name)) if name in _BUILDERS:
                continue
            case cst.Call() | cst.Await() | cst.Attribute() | cst.Lambda() | cst.BaseComp():
                raise Refused(f"the first value of `{slot}` is computed at {syntax.site(value)}")
            case cst.Name(value=name) if name not in {"None", "True", "False", "str", "int", *_BUILDERS}:
                raise Refused(f"the first value of `{slot}` is given from outside at {syntax.site(value)}")
    return syntax.code(value)


def _roles(slot: Slot, initial: _Initial, files: Files) -> _Roles:
    init = init_of(slot.owner)
    by_method: dict[cst.FunctionDef, list[Site]] = {}
    for site in slot.sites:
        if site.method is not init:
            by_method.setdefault(site.method, []).append(site)
    cleaners = [method for method, sites in by_method.items() if all(_is_reset(slot, initial, s) for s in sites)]
    writers = [
        method
        for method, sites in by_method.items()
        if method not in cleaners and any(_is_write(slot, initial, site) for site in sites)
    ]
    readers = [method for method in by_method if method not in cleaners and method not in writers]
    calls = self_calls(slot.syntax, slot.owner)
    reached = _reached(calls, writers)
    for method in writers:
        if method in reached:
            raise Refused(f"`{method.name.value}` stores `{slot.name}` for a method that calls it")
    for method in readers:
        for site in by_method[method]:
            if site.act is not Act.READ:
                raise Refused(f"`{method.name.value}` takes `{slot.name}` away at {slot.syntax.site(site.node)}")
    _refuse_resets_in_between(slot, by_method, calls, writers, cleaners)
    threaded = _threaded(calls, readers, reached)
    for method in threaded:
        refuse_other_callers(slot.syntax, slot.owner, method, files)
    needed = [call for call in calls if call.callee in threaded]
    outsiders = dict.fromkeys(method for method in readers if method not in threaded)
    outsiders |= dict.fromkeys(call.caller for call in needed if call.caller not in (*writers, *threaded))
    if init in outsiders:
        raise Refused(f"`__init__` calls a method that reads `{slot.name}`")
    cleaners = [method for method in cleaners if method not in outsiders]
    return _Roles(tuple(writers), tuple(threaded), tuple(outsiders), tuple(cleaners), tuple(needed))


def _refuse_resets_in_between(
    slot: Slot,
    by_method: Mapping[cst.FunctionDef, Sequence[Site]],
    calls: Sequence[SelfCall],
    writers: Sequence[cst.FunctionDef],
    cleaners: Sequence[cst.FunctionDef],
) -> None:
    """A method that resets the slot does nothing any more: fine before the first store and at the very end only."""
    syntax = slot.syntax
    for call in calls:
        if call.callee not in cleaners or syntax.enclosing(call.node, cst.Finally) is not None:
            continue
        first = by_method.get(call.caller, [])[:1]
        if call.caller not in writers or syntax.range(call.node) > syntax.range(first[0].node):
            raise Refused(f"`{slot.name}` is reset in between at {syntax.site(call.node)}")


def _reached(calls: Sequence[SelfCall], start: Iterable[cst.FunctionDef]) -> list[cst.FunctionDef]:
    """Methods that the given ones call, directly or not."""
    reached: list[cst.FunctionDef] = []
    pending = list(start)
    while pending:
        caller = pending.pop()
        for call in calls:
            if call.caller is caller and call.callee not in reached:
                reached.append(call.callee)
                pending.append(call.callee)
    return reached


def _threaded(
    calls: Sequence[SelfCall], readers: Sequence[cst.FunctionDef], reached: Sequence[cst.FunctionDef]
) -> list[cst.FunctionDef]:
    """The readers that writers reach, and the methods on the way to them."""
    threaded = [method for method in readers if method in reached]
    pending = list(threaded)
    while pending:
        callee = pending.pop()
        for call in calls:
            if call.callee is callee and call.caller in reached and call.caller not in threaded:
                threaded.append(call.caller)
                pending.append(call.caller)
    return threaded


def _is_blank(slot: Slot, initial: _Initial, site: Site) -> bool:
    """Whether a store puts back what a new object holds."""
    if site.value is None:
        return False
    text = slot.syntax.code(site.value)
    return text in {"None", "{}", "[]", '""', "''", initial.text}


def _is_reset(slot: Slot, initial: _Initial, site: Site) -> bool:
    if site.statement is None:
        return False
    return site.act is Act.DROP or (site.act is Act.STORE and _is_blank(slot, initial, site))


def _is_write(slot: Slot, initial: _Initial, site: Site) -> bool:
    if site.act is Act.STORE:
        return not _is_reset(slot, initial, site)
    return site.act in (Act.ITEM_STORE, Act.GROW)


def _is_last_reset(slot: Slot, initial: _Initial, site: Site) -> bool:
    """Whether it resets the slot when the method is done: in a `finally`, or as the last thing done with it."""
    if not _is_reset(slot, initial, site):
        return False
    if _is_in_finally(slot, site):
        return True
    last = [other for other in slot.sites if other.method is site.method][-1]
    return site is last and slot.syntax.parent(slot.syntax.statement(site.node)) is site.method.body


def _is_in_finally(slot: Slot, site: Site) -> bool:
    return slot.syntax.enclosing(site.node, cst.Finally) is not None


def _safety(slot: Slot, initial: _Initial, roles: _Roles) -> Safety:
    if slot.known_outside:
        return Safety.SUGGESTED
    if not roles.outsiders or _always_reset(slot, initial, roles):
        return Safety.SAFE
    return Safety.SUGGESTED


def _always_reset(slot: Slot, initial: _Initial, roles: _Roles) -> bool:
    """Whether no call leaves anything in the slot, so that every call of a single user begins with the first value."""
    last = {s.method for s in slot.sites if _is_last_reset(slot, initial, s) and _is_in_finally(slot, s)}
    return all(method in last for method in roles.writers)


# --- a method that stores ----------------------------------------------------------------------------------------


def _writer_local(slot: Slot, initial: _Initial, roles: _Roles, method: cst.FunctionDef, name: str) -> _Local:
    own = [site for site in slot.sites if site.method is method]
    sites = [site for site in own if not _is_last_reset(slot, initial, site)]
    reads: list[cst.CSTNode] = [site.node for site in sites if site.act is Act.READ]
    reads += [call.node for call in roles.calls if call.caller is method]
    if not reads:
        where = slot.syntax.site(next(site.node for site in sites if _is_write(slot, initial, site)))
        raise Refused(f"nothing in `{method.name.value}` reads `{slot.name}` again: {where} keeps it for another call")
    if _is_container(slot):
        _refuse_what_keeps_the_container(slot, sites)
    stores = [site for site in sites if site.act is Act.STORE]
    others = [site.node for site in sites if site.act is not Act.STORE] + [n for n in reads if isinstance(n, cst.Call)]
    if stores:
        return _local_from_stores(slot, initial, method, name, stores, list(dict.fromkeys(others)))
    if opening := _opening_clear(slot, sites):
        return _Local(name, above=slot.syntax.statement(opening.node), dropped=opening)
    emptied = any(_empties(slot, site) for site in own if site not in sites)
    return _local_from_items(slot, initial, method, name, sites, reads, emptied=emptied)


def _opening_clear(slot: Slot, sites: Sequence[Site]) -> Site | None:
    """The `self.slot.clear()` that every call begins with."""
    first = sites[0]
    opens = slot.syntax.parent(slot.syntax.statement(first.node)) is first.method.body
    return first if opens and first.act is Act.DROP and _empties(slot, first) else None


def _empties(slot: Slot, site: Site) -> bool:
    """Whether a reset leaves nothing in the container: it rebinds, deletes or clears the slot itself."""
    above = slot.syntax.parent(site.node)
    return not isinstance(above, cst.Attribute | cst.Subscript) or (
        isinstance(above, cst.Attribute) and above.attr.value == "clear"
    )


def _is_container(slot: Slot) -> bool:
    return any(site.act in (Act.ITEM_STORE, Act.GROW) for site in slot.sites)


def _local_from_stores(
    slot: Slot,
    initial: _Initial,
    method: cst.FunctionDef,
    name: str,
    stores: Sequence[Site],
    others: Sequence[cst.CSTNode],
) -> _Local:
    syntax = slot.syntax
    scope = function_of(syntax, stores[0].node)
    nodes = [site.node for site in stores]
    outside = [node for node in (*nodes, *others) if function_of(syntax, node) is not scope]
    if scope is None or any(function_of(syntax, node) is not scope for node in nodes):
        raise Refused(f"`{slot.name}` is stored in an inner function at {syntax.site(stores[-1].node)}")
    if any(not syntax.holds(scope.body, node) for node in outside):
        raise Refused(f"`{slot.name}` is stored in the inner function `{scope.name.value}` and read around it")
    early = flow.unassigned(syntax, scope, nodes, others)
    if not early:
        reused = _reused_parameter(slot, scope, stores)
        return _Local(reused, dropped=stores[0]) if reused else _Local(name)
    certain = flow.unassigned(syntax, scope, nodes, others, lenient=True)
    if certain or not initial.text:
        where = syntax.site((certain or early)[0])
        raise Refused(f"`{method.name.value}` may read what an earlier call left in `{slot.name}` at {where}")
    own_name = free_name(slot.name, names_in(syntax, method))
    return _Local(own_name, above=_first_statement(syntax, scope, (*nodes, *others)))


def _stores_its_parameter(slot: Slot, initial: _Initial, method: cst.FunctionDef) -> bool:
    """Whether the method needs no new name, because it has the value under one."""
    own = [site for site in slot.sites if site.method is method and site.act is Act.STORE]
    stores = [site for site in own if not _is_last_reset(slot, initial, site)]
    scope = function_of(slot.syntax, stores[0].node) if stores else None
    return scope is not None and bool(_reused_parameter(slot, scope, stores))


def _reused_parameter(slot: Slot, scope: cst.FunctionDef, stores: Sequence[Site]) -> str:
    """The parameter that is all that is ever stored and is never bound again, if there is one."""
    if len(stores) > 1 or stores[0].statement is None:
        return ""
    return parameter_for(slot.syntax, scope, stores[0].statement, stores[0].value)


def parameter_for(
    syntax: Syntax, function: cst.FunctionDef, statement: cst.CSTNode | None, value: cst.BaseExpression | None
) -> str:
    """The parameter that a plain assignment stores, where the function never binds it again; else empty."""
    if not isinstance(statement, cst.Assign) or len(statement.targets) > 1 or not isinstance(value, cst.Name):
        return ""
    if value.value not in [parameter.name.value for parameter in parameters(function)]:
        return ""
    return "" if _is_rebound(syntax, function, value.value) else value.value


def _is_rebound(syntax: Syntax, scope: cst.FunctionDef, name: str) -> bool:
    for node in syntax.walk(scope, cst.Name):
        if node.value != name:
            continue
        match syntax.parent(node):
            case cst.AssignTarget() | cst.AugAssign() | cst.AsName() | cst.NameItem() | cst.Del() | cst.NamedExpr():
                return True
            case cst.AnnAssign() | cst.For() | cst.CompFor() as above if above.target is node:
                return True
            case cst.Element() | cst.StarredElement() | cst.MatchAs() | cst.MatchStar():
                return True  # perhaps only read there, but then nothing is lost
            case cst.FunctionDef() | cst.ClassDef() | cst.ImportAlias():
                return True
            case cst.Param() as above if above is not _parameter(scope, name):
                return True
    return False


def _parameter(scope: cst.FunctionDef, name: str) -> cst.Param | None:
    return next((one for one in parameters(scope) if one.name.value == name), None)


def _local_from_items(
    slot: Slot,
    initial: _Initial,
    method: cst.FunctionDef,
    name: str,
    sites: Sequence[Site],
    reads: Sequence[cst.CSTNode],
    *,
    emptied: bool,
) -> _Local:
    syntax = slot.syntax
    for site in () if emptied else sites:
        if site.act is Act.GROW:
            raise Refused(f"`{slot.name}` grows at {syntax.site(site.node)} and nothing empties it")
        if site.act is Act.ITEM_STORE and not _is_constant(site.key):
            raise Refused(f"`{slot.name}` holds more than one entry at {syntax.site(site.node)}")
    stores = [site for site in sites if site.act in (Act.ITEM_STORE, Act.GROW)]
    nodes = [site.node for site in stores]
    first = stores[0]
    home = function_of(syntax, first.node)
    everything = [*dict.fromkeys([*(site.node for site in sites), *reads])]
    others = [node for node in everything if node is not first.node]
    if (
        home is not None
        and first.statement is not None
        and first.key is not None
        and initial.text in {"", *_EMPTY_DICTS}
        and all(syntax.holds(home.body, node) for node in others)
        and not flow.unassigned(syntax, home, [first.node], others)
    ):
        return _Local(name, created=first)
    early = [] if emptied else flow.unassigned(syntax, method, nodes, reads, lenient=True)
    if early or not initial.text:
        where = syntax.site((early or nodes)[0])
        raise Refused(f"`{method.name.value}` may read what an earlier call left in `{slot.name}` at {where}")
    return _Local(name, above=_first_statement(syntax, method, everything))


def _is_constant(key: cst.BaseExpression | None) -> bool:
    return isinstance(key, cst.SimpleString | cst.Integer)


def _refuse_what_keeps_the_container(slot: Slot, sites: Iterable[Site]) -> None:
    """A container that something else holds on to is not the call's own."""
    for site in sites:
        if site.act is Act.READ and is_kept(slot.syntax, site.node):
            raise Refused(f"`{slot.name}` is kept or given away at {slot.syntax.site(site.node)}")


def is_kept(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether something else holds on to the container that the node is, beyond the call it may be an argument of."""
    inner, in_call = node, False
    for above in syntax.ancestors(node):
        match above:
            case cst.Subscript() | cst.Attribute() if not in_call:
                return False  # a value out of it, not the container itself
            case cst.Call(func=cst.Attribute(attr=cst.Name(value=name))) if inner is not above.func:
                if name in _KEEPERS:
                    return True
                in_call = True
            case cst.Call():
                in_call = True
            case cst.Assign():
                return not all(isinstance(target.target, cst.Name) for target in above.targets)
            case cst.AnnAssign():
                return not isinstance(above.target, cst.Name)
            case cst.Return() | cst.Yield():
                return not in_call
            case cst.Lambda() | cst.SimpleStatementLine() | cst.BaseCompoundStatement():
                return False
        inner = above
    return False


# --- a method that only reads ------------------------------------------------------------------------------------


def _outsider_local(slot: Slot, initial: _Initial, roles: _Roles, method: cst.FunctionDef, name: str) -> _Local:
    syntax = slot.syntax
    sites = [site for site in slot.sites if site.method is method]
    nodes = [*(site.node for site in sites), *(call.node for call in roles.calls if call.caller is method)]
    where = syntax.site(nodes[0])
    if not initial.text:
        raise Refused(f"it is not known what `{method.name.value}` is to find in `{slot.name}` at {where}")
    if method.decorators and any(_is_property(one) for one in method.decorators):
        raise Refused(f"the property at {where} shows `{slot.name}` to others")
    for site in sites:
        if isinstance(syntax.parent(site.node), cst.Return):
            raise Refused(f"`{method.name.value}` returns `{slot.name}` at {syntax.site(site.node)}")
    if sites and not _is_container(slot) and not _always_reset(slot, initial, roles):
        raise Refused(f"`{method.name.value}` reads at {where} what another call stored")
    if _is_container(slot):
        _refuse_what_keeps_the_container(slot, sites)
    return _Local(name, above=_first_statement(syntax, method, nodes))


def _is_property(decorator: cst.Decorator) -> bool:
    match decorator.decorator:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return "property" in name
        case _:
            return False


def _first_statement(syntax: Syntax, function: cst.FunctionDef, nodes: Iterable[cst.CSTNode]) -> Statement:
    """The statement of the function's own block that holds the first of the nodes."""
    first = min(nodes, key=syntax.range)
    for statement in (syntax.statement(first), *syntax.ancestors(first)):
        if isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement) and (
            syntax.parent(statement) is function.body
        ):
            return statement
    raise Refused(f"`{function.name.value}` is written on one line at {syntax.site(function)}")


# --- edits -------------------------------------------------------------------------------------------------------


def _edits(plan: _Plan) -> list[Edit]:
    syntax, slot = plan.slot.syntax, plan.slot
    replaced: dict[cst.CSTNode, Replacement] = {}
    above: dict[Statement, Sequence[str]] = {}
    extra: list[Edit] = []
    if plan.initial.store is not None and plan.initial.store.statement is not None:
        replaced[plan.initial.store.statement] = REMOVE
    if slot.declaration is not None:
        replaced[slot.declaration] = REMOVE
    for site in slot.sites:
        if site is not plan.initial.store:
            _convert(plan, site, replaced, extra)
    for local in plan.locals.values():
        if local.above is not None:
            above[local.above] = [_first_value(plan, local.name)]
    extra += _parameters(plan)
    edits = [*syntax.rewrite(replaced, above), *extra]
    return [*edits, *imports.unused(syntax, edits)]


def _convert(plan: _Plan, site: Site, replaced: dict[cst.CSTNode, Replacement], extra: list[Edit]) -> None:
    """One occurrence of the slot in a method."""
    syntax, local = plan.slot.syntax, plan.locals.get(site.method)
    if local is None or _is_last_reset(plan.slot, plan.initial, site):
        assert site.statement is not None  # all that a cleaner does is to reset
        replaced[site.statement] = REMOVE
    elif local.dropped is site or (site.act is Act.DROP and isinstance(site.statement, cst.Del | cst.AnnAssign)):
        replaced[site.statement or site.node] = REMOVE
    elif local.created is site:
        extra += _created(syntax, site, _declared(plan, local.name))
    elif isinstance(site.node, cst.Call) and site.act is Act.STORE:
        replaced[site.node] = f"{local.name} = {syntax.code(site.node.args[2].value)}"
    else:
        replaced[site.node] = local.name


def _created(syntax: Syntax, site: Site, target: str) -> list[Edit]:
    """`self.slot[key] = value` becomes `target = {key: value}`; the value stays as it is."""
    item = syntax.parent(site.node)
    assert item is not None  # the subscript
    assert site.value is not None
    assert site.key is not None
    start, end = syntax.range(item)
    first, last = syntax.whole(site.value)
    bare = isinstance(site.value, cst.Tuple | cst.Yield) and not site.value.lpar
    opened, closed = ("(", ")") if bare else ("", "")
    return [
        Edit(syntax.path, start, end, syntax.text[start:end], target),
        syntax.insert(first, f"{{{syntax.code(site.key)}: {opened}"),
        syntax.insert(last, f"{closed}}}"),
    ]


def _declared(plan: _Plan, name: str) -> str:
    """The target of a local's first assignment, with the annotation that the slot had."""
    return f"{name}: {plan.initial.annotation}" if plan.initial.annotation else name


def _first_value(plan: _Plan, name: str) -> str:
    return f"{_declared(plan, name)} = {plan.initial.text}"


def _parameters(plan: _Plan) -> list[Edit]:
    """One more parameter for each threaded method, and one more argument at each of its calls."""
    syntax = plan.slot.syntax
    edits: list[Edit] = []
    for method in plan.roles.threaded:
        calls = [call for call in plan.roles.calls if call.callee is method]
        positional = parameter.by_position(method, [call.node for call in calls])
        declaration = _annotated(plan, method)
        edits += parameter.declared(syntax, method, declaration, positional=positional)
        for call in calls:
            value = plan.locals[call.caller].name
            edits += parameter.passed(syntax, call.node, plan.name, value, positional=positional)
    return edits


def _annotated(plan: _Plan, method: cst.FunctionDef) -> str:
    """The declaration of the new parameter, annotated where the method's own ones are and the type is known."""
    own = [one.annotation for one in parameters(method)[1:]]
    if any(one is None for one in own) or (not own and method.returns is None):
        return plan.name
    annotation = plan.initial.annotation or _type_of(plan)
    return f"{plan.name}: {annotation}" if annotation else plan.name


def _type_of(plan: _Plan) -> str:
    """The type that the first value, or the parameter that is stored, gives to the slot."""
    text = plan.initial.text
    if text in ("True", "False"):
        return "bool"
    if text[:1] in ("'", '"'):
        return "str"
    if text.isdigit():
        return "int"
    for site in plan.slot.sites:
        scope = function_of(plan.slot.syntax, site.node)
        if site.act is Act.STORE and isinstance(site.value, cst.Name) and scope is not None:
            given = _parameter(scope, site.value.value)
            if given is not None and given.annotation is not None:
                annotation = plan.slot.syntax.code(given.annotation.annotation)
                return f"{annotation} | None" if text == "None" and plan.roles.outsiders else annotation
    return ""
