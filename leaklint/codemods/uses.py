"""The occurrences of a slot `self.<slot>` in its class, each as what the code does with it.

The engine says where a slot is used; here each place is looked at in its file, and whatever is not understood, or not
known to be this slot, is a refusal. Nothing is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from enum import Enum, auto

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused
from leaklint.codemods.calls import subclasses, superclasses
from leaklint.codemods.scope import method_of, methods, says
from leaklint.finding import Span
from leaklint.project.suspect import Place, Use
from leaklint.syntax import Files, Syntax

PLAIN_BASES = frozenset({"object", "ABC", "ABCMeta", "Generic", "Protocol", "metaclass"})
BY_NAME = frozenset({"setattr", "getattr", "delattr", "hasattr"})
GROWING = frozenset({"append", "add", "update", "extend", "insert", "setdefault", "appendleft", "extendleft"})
_SHRINKING = frozenset({"pop", "clear", "popitem", "remove", "discard", "popleft"})


class Act(Enum):
    """What the code does with the slot at one place."""

    STORE = auto()  # binds it: `self.slot = v`, also by `for`, `with`, unpacking, `+=` and `setattr`
    ITEM_STORE = auto()  # `self.slot[key] = v`
    GROW = auto()  # `self.slot.append(v)`
    DROP = auto()  # a statement that only empties or deletes: `self.slot.pop("k", None)`, `del self.slot`
    READ = auto()


class Site(Struct, frozen=True):
    """One occurrence: the node of the place, the act, and the method it is in."""

    node: cst.Attribute | cst.Call
    act: Act
    method: cst.FunctionDef
    value: cst.BaseExpression | None = None  # what a plain store or item store stores
    key: cst.BaseExpression | None = None  # of an item store
    statement: cst.BaseSmallStatement | None = None  # of a store or drop that is all of its statement


class Slot(Struct, frozen=True):
    """A slot that is wholly seen: its class, every occurrence in methods, and its declaration in the class body."""

    syntax: Syntax
    owner: cst.ClassDef
    name: str
    sites: tuple[Site, ...]
    declaration: cst.AnnAssign | cst.Assign | None
    known_outside: bool  # a class that is not of the program may use it: a base class, or one that derives from it


def slot_of(place: Place, uses: Sequence[Use], files: Files, *, counted: bool = False) -> Slot:
    """The slot with all its occurrences, `+=` among them where `counted`.

    Raises Refused where one is not certain, NotAnalysed.
    """
    if not uses:
        raise Refused(f"where else `{place.slot or place.text}` is used is not known")
    for use in uses:
        if not use.covered:
            raise Refused(f"the object at {_site(use.span)} may be another one")
    paths = {use.span.path for use in uses}
    if len(paths) != 1:
        raise Refused(f"`{place.slot}` is used in more than one file: {', '.join(sorted(paths))}")
    syntax = files[paths.pop()]
    owner = _owner(syntax, place, uses)
    _refuse_hidden_uses(syntax, owner, place.slot, uses, files)
    declaration = _declaration(syntax, owner, place.slot)
    declared = declaration.target if isinstance(declaration, cst.AnnAssign) else None
    if isinstance(declaration, cst.Assign):
        declared = declaration.targets[0].target
    nodes = [node for node in _nodes(syntax, uses, place.slot) if node is not declared]
    sites = tuple(_site_of(syntax, owner, place.slot, node, counted=counted) for node in nodes)
    return Slot(syntax, owner, place.slot, sites, declaration, _is_known_outside(owner, place.slot, files))


def _site(span: Span) -> str:
    return f"{span.path}:{span.line}"


def _owner(syntax: Syntax, place: Place, uses: Sequence[Use]) -> cst.ClassDef:
    name = place.owner.rpartition(".")[2]
    for use in uses:
        node = syntax.node_at(use.span)
        owner = next(
            (up for up in syntax.ancestors(node) if isinstance(up, cst.ClassDef) and up.name.value == name), None
        )
        if owner is None:
            raise Refused(f"`{place.slot}` is used outside of its class at {_site(use.span)}")
        if not isinstance(owner.body, cst.IndentedBlock):
            raise Refused(f"the body of `{name}` is on one line at {syntax.site(owner)}")
        return owner
    raise Refused(f"where else `{place.slot or place.text}` is used is not known")


def _nodes(syntax: Syntax, uses: Iterable[Use], slot: str) -> list[cst.CSTNode]:
    """The node of each place, once, in the order of the code: the attribute, or the call that names it in a string."""
    found: dict[cst.CSTNode, None] = {}
    for use in sorted(uses, key=lambda use: use.span):
        try:
            node = syntax.node_at(use.span)
        except LookupError:
            raise Refused(f"the use of `{slot}` at {_site(use.span)} cannot be located") from None
        # A fact about `self.slot["k"]` concerns `self.slot` within it.
        while isinstance(node, cst.Subscript) or (isinstance(node, cst.Attribute) and node.attr.value != slot):
            node = node.value
        found[node] = None
    return list(found)


# --- what one place does -----------------------------------------------------------------------------------------


def _site_of(syntax: Syntax, owner: cst.ClassDef, slot: str, node: cst.CSTNode, *, counted: bool) -> Site:
    method = method_of(syntax, owner, node)
    if method is None:
        raise Refused(f"`{slot}` is used outside of the methods of its class at {syntax.site(node)}")
    if isinstance(node, cst.Call):
        _refuse_other_receiver(syntax, method, node.args[0].value if node.args else node, slot)
        return _by_name(syntax, method, node, slot)
    if not isinstance(node, cst.Attribute):
        raise Refused(f"`{slot}` is reached in another way at {syntax.site(node)}")
    _refuse_other_receiver(syntax, method, node.value, slot)
    above = syntax.parent(node)
    match above:
        case cst.AssignTarget() if isinstance(statement := syntax.parent(above), cst.Assign):
            return Site(node, Act.STORE, method, statement.value, None, statement if _single(statement) else None)
        case cst.AnnAssign() if above.target is node:
            if above.value is None:
                return Site(node, Act.DROP, method, statement=above)
            return Site(node, Act.STORE, method, above.value, None, above)
        case cst.AugAssign() if above.target is node and not counted:
            raise Refused(f"`{slot}` is counted up at {syntax.site(node)}")
        case cst.Subscript() if above.value is node:
            return _item(syntax, method, node, above)
        case cst.Attribute() if isinstance(call := syntax.parent(above), cst.Call) and call.func is above:
            return _method_call(syntax, method, node, above, call)
        case cst.Del():
            return Site(node, Act.DROP, method, statement=above)
        case _ if _is_target(syntax, node):
            return Site(node, Act.STORE, method)
        case _:
            return Site(node, Act.READ, method)


def _single(statement: cst.Assign) -> bool:
    return len(statement.targets) == 1


def _refuse_other_receiver(syntax: Syntax, method: cst.FunctionDef, receiver: cst.CSTNode, slot: str) -> None:
    params = (*method.params.posonly_params, *method.params.params)
    first = params[0].name.value if params else ""
    static = any(
        isinstance(one.decorator, cst.Name) and one.decorator.value in ("staticmethod", "classmethod")
        for one in method.decorators
    )
    if static or not isinstance(receiver, cst.Name) or receiver.value != first:
        raise Refused(f"`{slot}` is not reached through `self` at {syntax.site(receiver)}")


def _by_name(syntax: Syntax, method: cst.FunctionDef, call: cst.Call, slot: str) -> Site:
    """`setattr(self, "slot", v)` and its like."""
    name = call.func.value if isinstance(call.func, cst.Name) else ""
    statement = syntax.parent(call)
    whole = statement if isinstance(statement, cst.Expr) else None
    match name, len(call.args):
        case "setattr", 3 if whole is not None:
            return Site(call, Act.STORE, method, call.args[2].value, None, whole)
        case "delattr", 2 if whole is not None:
            return Site(call, Act.DROP, method, statement=whole)
        case "getattr", 2 | 3:
            return Site(call, Act.READ, method)
        case _:
            raise Refused(f"`{slot}` is reached by its name at {syntax.site(call)}")


def _item(syntax: Syntax, method: cst.FunctionDef, node: cst.Attribute, item: cst.Subscript) -> Site:
    above = syntax.parent(item)
    if isinstance(above, cst.Del):
        return Site(node, Act.DROP, method, statement=above)
    if isinstance(above, cst.AssignTarget) and isinstance(statement := syntax.parent(above), cst.Assign):
        index = item.slice[0].slice
        key = index.value if isinstance(index, cst.Index) and len(item.slice) == 1 else None
        return Site(node, Act.ITEM_STORE, method, statement.value, key, statement if _single(statement) else None)
    if isinstance(above, cst.AugAssign) and above.target is item:
        return Site(node, Act.GROW, method)
    return Site(node, Act.ITEM_STORE if _is_target(syntax, item) else Act.READ, method)


def _method_call(
    syntax: Syntax, method: cst.FunctionDef, node: cst.Attribute, function: cst.Attribute, call: cst.Call
) -> Site:
    statement = syntax.parent(call)
    if function.attr.value in GROWING:
        return Site(node, Act.GROW, method)
    if function.attr.value in _SHRINKING and isinstance(statement, cst.Expr):
        return Site(node, Act.DROP, method, statement=statement)
    return Site(node, Act.READ, method)


def _is_target(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether the node is bound by unpacking, `for` or `with`."""
    inner = node
    for above in syntax.ancestors(node):
        match above:
            case cst.Element() | cst.StarredElement() | cst.Tuple() | cst.List():
                inner = above
            case cst.AssignTarget() | cst.AsName():
                return True
            case cst.For() | cst.CompFor():
                return above.target is inner
            case _:
                return False
    return False


# --- what the engine may not have seen ---------------------------------------------------------------------------


def _refuse_hidden_uses(syntax: Syntax, owner: cst.ClassDef, slot: str, uses: Sequence[Use], files: Files) -> None:
    known = {syntax.range(node) for node in _nodes(syntax, uses, slot)}
    for node in syntax.walk(owner, cst.Attribute, cst.Call, cst.Assign):
        site = _mention(node, slot)
        if site is None or syntax.range(node) in known:
            continue
        if isinstance(node, cst.Call) and syntax.range(node.args[0].value) in known:
            continue
        raise Refused(f"the use of `{slot}` at {syntax.site(node)} is not understood")
    above, _ = superclasses(owner, files)
    for where in _in_classes(subclasses(owner.name.value, files), slot, files):
        raise Refused(f"a subclass uses `{slot}` at {where}")
    for where in _in_classes(above, slot, files):
        raise Refused(f"a base class uses `{slot}` at {where}")


def _mention(node: cst.CSTNode, slot: str) -> cst.CSTNode | None:
    """The node, when it is `self.slot`-like, names the slot in a string for `getattr`, or lists it in `__slots__`."""
    match node:
        case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=cst.Name(value=name)) if name == slot:
            return node
        case cst.Call(func=cst.Name(value=name), args=[_, second, *_]) if name in BY_NAME:
            return node if _names(second.value, slot) else None
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__slots__"))]):
            return node if f'"{slot}"' in _flat(node) or f"'{slot}'" in _flat(node) else None
        case _:
            return None


def _names(node: cst.CSTNode, slot: str) -> bool:
    return isinstance(node, cst.SimpleString) and says(node, slot)


def _flat(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _in_classes(names: Set[str], slot: str, files: Files) -> Iterator[str]:
    """Where classes of these names reach, define or spell the slot."""
    for path in files.defining(names):
        if slot not in files.texts[path]:
            continue
        syntax = files[path]
        for node in syntax.walk(syntax.module, cst.ClassDef):
            if node.name.value in names:
                yield from (syntax.site(inner) for inner in syntax.walk(node, *_TOUCHING) if _touches(inner, slot))


_TOUCHING = (cst.Attribute, cst.FunctionDef, cst.AssignTarget, cst.AnnAssign, cst.SimpleString)


def _touches(node: cst.CSTNode, slot: str) -> bool:
    match node:
        case cst.Attribute(attr=cst.Name(value=name)) | cst.FunctionDef(name=cst.Name(value=name)):
            return name == slot
        case cst.AssignTarget(target=cst.Name(value=name)) | cst.AnnAssign(target=cst.Name(value=name)):
            return name == slot
        case _:
            return _names(node, slot)


def _is_known_outside(owner: cst.ClassDef, slot: str, files: Files) -> bool:
    if slot.startswith("_"):
        return False
    _, foreign = superclasses(owner, files)
    return bool(foreign - PLAIN_BASES) or bool(subclasses(owner.name.value, files))


def _declaration(syntax: Syntax, owner: cst.ClassDef, slot: str) -> cst.AnnAssign | cst.Assign | None:
    """The statement of the class body that declares the slot. Raises Refused where it makes a field of it."""
    for line in owner.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match small:
                case cst.AnnAssign(target=cst.Name(value=name)) if name == slot:
                    declaration: cst.AnnAssign | cst.Assign = small
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]) if name == slot:
                    declaration = small
                case _:
                    continue
            if owner.bases or owner.decorators:
                raise Refused(f"`{slot}` may be a field that the class declares at {syntax.site(small)}")
            return declaration
    return None


def init_of(owner: cst.ClassDef) -> cst.FunctionDef | None:
    """The class's own `__init__`."""
    return next((method for method in methods(owner) if method.name.value == "__init__"), None)
