"""A value that listeners of a page share, to a component that keeps one for each session.

Each listener that uses it is given it as one more argument, and gives it back as one more value where it changes it.
Refused where a listener could not be registered so, and where somebody could miss what another one has set meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from msgspec import Struct, field

from leaklint.codemods import Refused, flow, imports, listing, offer, parameter
from leaklint.codemods.given_back import given_back
from leaklint.codemods.handing import AtHand, HandedDown, functions_around
from leaklint.codemods.in_home import reached
from leaklint.codemods.listeners import Listening, listenings
from leaklint.codemods.names import global_statements, is_bound_in, without_declarations
from leaklint.codemods.per_session import Shared, only_looks, shared
from leaklint.codemods.scope import free_name, function_of, names_in, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.models import HomeModel
from leaklint.project.suspect import Handler, WriteSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Statement, Syntax

_PAUSES = (cst.Await, cst.Yield, cst.Asynchronous)
_TYPES = ((cst.SimpleString, "str"), (cst.Integer, "int"), (cst.Float, "float"), (cst.List, "list"), (cst.Dict, "dict"))


def keep_in_component(suspect: WriteSuspect, files: Files) -> Fix:
    """Keep it in a component of the page; there is no reason to tell where the framework has no such thing."""
    home = next((one for one in suspect.passing.homes if one.component), None)
    if home is None:
        return Fix("", Safety.SUGGESTED)
    title = f"Keep `{suspect.place.slot}` in {home.use}"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, home))


class _Listener(Struct):
    """A function that is going to be given the value."""

    syntax: Syntax
    known: Handler
    nodes: list[cst.CSTNode] = field(default_factory=list)  # where it uses the value itself
    handing: list[cst.CSTNode] = field(default_factory=list)  # where it hands the value on

    @property
    def stores(self) -> list[cst.CSTNode]:
        """Where it binds the value."""
        return [node for node in self.nodes if is_stored(self.syntax, node)]

    @property
    def reads(self) -> list[cst.CSTNode]:
        """Where it needs the value."""
        return [*(node for node in self.nodes if not _is_bound_anew(self.syntax, node)), *self.handing]


def _converted(suspect: WriteSuspect, files: Files, home: HomeModel) -> list[Edit]:
    found = shared(suspect, files)
    name = _local_name(found)
    listeners: dict[cst.FunctionDef, _Listener] = {}
    handed = HandedDown(files, suspect.passing, lambda syntax, node: at_hand(syntax, node, own=False))

    def at_hand(syntax: Syntax, node: cst.CSTNode, *, own: bool) -> AtHand:
        around = functions_around(syntax, node)
        for function in around:
            if (known := handed.handler(syntax, function)) is not None:
                listener = listeners.setdefault(function, _Listener(syntax, known))
                (listener.nodes if own else listener.handing).append(node)
                return AtHand(name, name, _type(found))
        nothing = Refused(f"`{found.slot}` is used by what no listener calls at {syntax.site(node)}")
        if not around:
            raise nothing
        if own and is_stored(syntax, node):
            raise Refused(f"`{around[0].name.value}` sets it for its callers at {syntax.site(node)}")
        return handed.to(syntax, around[0], nothing, name)

    for node in found.nodes:
        at_hand(found.syntax, node, own=True)
    changing = {function for function, one in listeners.items() if _changes(found, one)}
    if not changing:
        raise Refused(f"no listener changes `{found.slot}`")
    edits: list[Edit] = []
    places = {function: _places(found, function, one, name, handed, home) for function, one in listeners.items()}
    made, component = _made(found, [one for each in places.values() for one in each], name, home)
    for function, listener in listeners.items():
        own, stores = places[function], listener.stores
        if not stores or not flow.is_always_stored(listener.syntax, function, stores, listener.reads):
            edits += _taking(function, listener.syntax, _declared(found, function, name), own, home)
            edits += [edit for one in own for edit in one.also_given(component)]
        if function in changing:
            taken = {one.taking() for one in own}
            edits += given_back(listener.syntax, function, name, _type(found), taken, stores)
            edits += [edit for one in own for edit in one.also_taking(component)]
    return [*handed.edits, *edits, *made, *_renamed(found, name)]


def _places(
    found: Shared, function: cst.FunctionDef, listener: _Listener, name: str, handed: HandedDown, home: HomeModel
) -> list[Listening]:
    """Where a listener is registered. Raises Refused where the value would not be the same there."""
    _refuse_other_meanings(found, function, listener, name, handed)
    if not found.collection or any(is_stored(found.syntax, node) for node in found.nodes):
        _refuse_what_others_set(function, listener, found.slot)
    return listenings(listener.syntax, function, listener.known, home.page, handed.files)


# --- the value in a function -------------------------------------------------------------------------------------


def _local_name(found: Shared) -> str:
    """What the value is called in each function: the variable's name, or one that no function has for an attribute."""
    if all(isinstance(node, cst.Name) for node in found.nodes):
        return found.slot
    taken, name = names_in(found.syntax, found.syntax.module), found.slot.strip("_")
    return name if name not in taken else free_name(f"kept_{name}", taken)


def _type(found: Shared) -> str:
    if isinstance(found.made, cst.AnnAssign):
        return found.syntax.code(found.made.annotation.annotation)
    match found.made.value:
        case cst.Name(value="True" | "False"):
            return "bool"
        case cst.Call(func=cst.Name(value=name)):
            return name
        case value:
            return next((name for kind, name in _TYPES if isinstance(value, kind)), "")


def is_stored(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether a place is bound to another value there, or deleted."""
    above = syntax.parent(node)
    match above:
        case cst.AssignTarget() | cst.AugAssign() | cst.AsName() | cst.Del():
            return not isinstance(above, cst.AugAssign) or above.target is node
        case cst.AnnAssign() | cst.For() | cst.CompFor() | cst.NamedExpr():
            return above.target is node
        case cst.Element() | cst.StarredElement():
            return any(isinstance(one, cst.AssignTarget | cst.For) for one in _around(syntax, above))
        case _:
            return False


def _is_bound_anew(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether the value that was there before does not matter."""
    return is_stored(syntax, node) and not isinstance(syntax.parent(node), cst.AugAssign)


def _around(syntax: Syntax, element: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes above an element up to the target that it belongs to, or to where it is clear that it is of none."""
    inner = element
    for above in syntax.ancestors(element):
        if isinstance(above, cst.Tuple | cst.List | cst.Element | cst.StarredElement):
            inner = above
            continue
        if isinstance(above, cst.AssignTarget) or (isinstance(above, cst.For) and above.target is inner):
            yield above
        return


def _changes(found: Shared, listener: _Listener) -> bool:
    if found.collection and listener.handing:
        return True
    syntax = listener.syntax
    return any(is_stored(syntax, one) or (found.collection and not _looks(syntax, one)) for one in listener.nodes)


def _looks(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether a collection stays as it is there."""
    above = syntax.parent(node)
    match above:
        case cst.Subscript() if above.value is node:
            return not isinstance(syntax.parent(above), cst.AssignTarget | cst.AugAssign | cst.Del)
        case cst.For() | cst.CompFor() | cst.ComparisonTarget() | cst.Comparison() | cst.If() | cst.UnaryOperation():
            return True
        case cst.FormattedStringExpression() | cst.StarredElement():
            return True
        case cst.Arg():
            return only_looks(syntax.parent(above))
        case _:
            return False


def _refuse_other_meanings(
    found: Shared, function: cst.FunctionDef, listener: _Listener, name: str, handed: HandedDown
) -> None:
    syntax = listener.syntax
    for where, call in handed.calls(syntax, function):
        raise Refused(f"the program calls the handler `{function.name.value}` itself at {where.site(call)}")
    declared = global_statements(syntax, function, found.slot)
    if not declared and is_bound_in(syntax, function, name):
        raise Refused(f"`{function.name.value}` has another `{name}`: {syntax.site(function)}")
    for node in listener.nodes:
        if is_stored(syntax, node) and function_of(syntax, node) is not function:
            raise Refused(f"a function within `{function.name.value}` sets it at {syntax.site(node)}")
        if isinstance(syntax.parent(node), cst.Del):
            raise Refused(f"it is deleted at {syntax.site(node)}")


def _refuse_what_others_set(function: cst.FunctionDef, listener: _Listener, slot: str) -> None:
    """Raise Refused where a listener asks for the value again, as if another one could have set it meanwhile."""
    syntax = listener.syntax
    pauses = [syntax.range(node)[1] for node in syntax.walk(function.body) if isinstance(node, _PAUSES)]
    for node in flow.unassigned(syntax, function, listener.stores, listener.reads):
        loop = syntax.enclosing(node, (cst.For, cst.While))
        inside = loop is not None and syntax.holds(function, loop)
        if inside or any(end <= syntax.range(node)[0] for end in pauses):
            raise Refused(f"another event may set `{slot}` before it is read at {syntax.site(node)}")


def _renamed(found: Shared, name: str) -> list[Edit]:
    """Attributes become the variable's name; `global` and `nonlocal` statements go."""
    syntax = found.syntax
    replaced: dict[cst.CSTNode, Replacement] = {}
    for node in found.nodes:
        if isinstance(node, cst.Attribute):
            replaced[node] = name
        for function in functions_around(syntax, node):
            replaced |= without_declarations(syntax, global_statements(syntax, function, found.slot), found.slot)
    return list(syntax.rewrite(replaced))


# --- what a listener is given ------------------------------------------------------------------------------------


def _declared(found: Shared, function: cst.FunctionDef, name: str) -> str:
    annotated = any(one.annotation is not None for one in parameters(function)) or function.returns is not None
    return f"{name}: {_type(found)}" if annotated and _type(found) else name


def _taking(
    function: cst.FunctionDef, syntax: Syntax, declaration: str, own: Sequence[Listening], home: HomeModel
) -> list[Edit]:
    """Edits that declare one more parameter behind those that the components are given to. Raises Refused."""
    if parameter.by_position(function, []):
        return parameter.declared(syntax, function, declaration, positional=True)
    plain = [one for one in parameters(function) if one.star == ""]
    defaults = [one for one in plain if one.default is not None]
    wanted = plain[: plain.index(defaults[0])] if defaults else plain
    library = home.component.partition(".")[0]
    own_kind = [one for one in wanted if one.annotation is not None and _is_of(syntax, one.annotation, library)]
    bound = isinstance(syntax.parent(syntax.parent(function) or function), cst.ClassDef)
    needed = len(wanted) - len(own_kind) - bound
    if not defaults or function.params.kwonly_params or isinstance(function.params.star_arg, cst.Param):
        raise Refused(f"`{function.name.value}` takes what is given in another way: {syntax.site(function)}")
    if any(one.given() != needed for one in own):
        raise Refused(f"which parameters of `{function.name.value}` are given is not clear: {syntax.site(function)}")
    return listing.before(syntax, syntax.range(defaults[0])[0], declaration)


def _is_of(syntax: Syntax, annotation: cst.Annotation, library: str) -> bool:
    return imports.full_name(syntax, syntax.code(annotation.annotation)).startswith(f"{library}.")


# --- the component -----------------------------------------------------------------------------------------------


def _made(found: Shared, places: Sequence[Listening], name: str, home: HomeModel) -> tuple[list[Edit], str]:
    """Edits that make the component on the one page that all listeners are on, and its name. Raises Refused."""
    pages = {one.page: one.syntax for one in places}
    if len(pages) != 1:
        raise Refused(f"`{found.slot}` is used on several pages")
    (page, syntax) = next(iter(pages.items()))
    if not isinstance(page.body, cst.IndentedBlock):
        raise Refused(f"the page is written on one line at {syntax.site(page)}")
    package, _, member = home.component.partition(".")
    text, edits = reached(syntax, package, member)
    component = free_name(f"{name.strip('_').lower()}_state", names_in(syntax, syntax.module))
    assert found.made.value is not None  # a plain one
    line = f"{component} = {text}({found.syntax.code(found.made.value)})"
    if found.syntax is syntax and syntax.parent(syntax.statement(found.made)) is page.body:
        if all(syntax.range(found.made)[0] < syntax.range(one.call)[0] for one in places):
            return [*edits, *syntax.rewrite({found.made: line})], component
    first: Statement = syntax.statement(page.body.body[0])
    edits += found.syntax.rewrite({found.made: REMOVE})
    edits += syntax.rewrite({}, {first: [line]})
    return edits, component
