"""A class to the calls that its methods make of one another, and the proof that a method has no other callers.

By name, over the whole program, and in doubt against: a name that occurs in code that is not understood is a caller.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused
from leaklint.codemods.scope import method_of, methods, says
from leaklint.syntax import Files, Syntax


class SelfCall(Struct, frozen=True):
    """`self.callee(...)` in a method of the same class."""

    caller: cst.FunctionDef
    callee: cst.FunctionDef
    node: cst.Call


def self_calls(syntax: Syntax, owner: cst.ClassDef) -> list[SelfCall]:
    """All calls of the class's methods through `self`, in the order of the code."""
    by_name = {method.name.value: method for method in methods(owner)}
    found = []
    for node in syntax.walk(owner, cst.Call):
        match node:
            case cst.Call(func=cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name))):
                caller = method_of(syntax, owner, node)
                if caller is not None and name in by_name:
                    found.append(SelfCall(caller, by_name[name], node))
    return found


def refuse_other_callers(syntax: Syntax, owner: cst.ClassDef, method: cst.FunctionDef, files: Files) -> None:
    """Raise Refused unless every use of the method in the program is a call through `self` in its own class."""
    name = method.name.value
    if method.decorators or (name.startswith("__") and name.endswith("__")):
        raise Refused(f"`{name}` at {syntax.site(method)} cannot take another argument")
    known = {call.node.func for call in self_calls(syntax, owner) if call.callee is method}
    lonely = not owner.bases and not subclasses(owner.name.value, files)
    for path, _ in files.with_word(name):
        there = files[path]
        for node in _mentions(there, name):
            if node is method or node in known:
                continue
            if lonely and _is_of_another_class(there, node, owner):
                continue
            raise Refused(f"`{name}` cannot take another argument: it is used at {there.site(node)}")


def _mentions(syntax: Syntax, name: str) -> Iterator[cst.CSTNode]:
    for node in syntax.walk(syntax.module, cst.Attribute, cst.FunctionDef, cst.SimpleString):
        match node:
            case cst.Attribute(attr=cst.Name(value=found)) | cst.FunctionDef(name=cst.Name(value=found)):
                if found == name:
                    yield node
            case cst.SimpleString():
                if says(node, name):
                    yield node


def _is_of_another_class(syntax: Syntax, node: cst.CSTNode, owner: cst.ClassDef) -> bool:
    """Whether the node is `self.name`, or a definition, in a class that is not `owner`, or a free function."""
    around = syntax.enclosing(node, cst.ClassDef)
    if isinstance(node, cst.FunctionDef):
        return around is not owner
    through_self = isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self"
    return through_self and around is not None and around is not owner


def subclasses(owner: str, files: Files) -> set[str]:
    """Names of the classes of the program that derive from a class of this name, however far."""
    bases = files.bases
    found: set[str] = set()
    fresh = {owner}
    while fresh:
        fresh = {name for name, above in bases.items() if above & fresh} - found - {owner}
        found |= fresh
    return found


def superclasses(owner: cst.ClassDef, files: Files) -> tuple[set[str], set[str]]:
    """Names of the classes that a class derives from, however far: those of the program, and the others."""
    bases = files.bases
    own, foreign = set[str](), set[str]()
    fresh = {last_name(base.value) for base in owner.bases}
    while fresh:
        foreign |= fresh - bases.keys()
        fresh = (fresh & bases.keys()) - own - {owner.name.value}
        own |= fresh
        fresh = {above for name in fresh for above in bases[name]} - own
    return own, foreign


def last_name(node: cst.CSTNode) -> str:
    """`c` of `a.b.c` and of `a.b.c[T]`; empty for what has no such name."""
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case cst.Subscript(value=value):
            return last_name(value)
        case _:
            return ""
