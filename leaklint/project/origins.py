"""Where a constant or a generated id stands in the code, and in which form it gets into the program.

Purely structural: finds the term of a range in its module and says what surrounds it. Nothing here evaluates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from leaklint.index.summary import (
    Attr,
    Await,
    Bind,
    Blend,
    BlockKind,
    Call,
    Choice,
    Const,
    Display,
    Drop,
    Item,
    Kind,
    Name,
    Op,
    Param,
    Part,
    Range,
    Return,
    Star,
    Term,
    Test,
    Yield,
    covers,
)
from leaklint.project.program import FunctionInfo, Module, ancestors

Role: TypeAlias = str | int  # keyword, dict key or position within the parent

_DEFAULTING = ("get", "pop", "setdefault", "getattr", "getlist", "get_argument")
_BRANCHES = (BlockKind.IF, BlockKind.ELSE, BlockKind.EXCEPT, BlockKind.CASE)


class Step(NamedTuple):
    """One level of nesting: the parent and where in it the way goes on."""

    parent: Term
    role: Role


class Site(NamedTuple):
    """A term's place: in an operation of a function, or in the default of a parameter."""

    info: FunctionInfo
    position: int  # in the function's `ops`; -1 for defaults
    param: Param | None
    term: Term
    steps: tuple[Step, ...]  # outermost first

    @property
    def op(self) -> Op | None:
        return None if self.position < 0 else self.info.function.ops[self.position]


class Origin(NamedTuple):
    """How an id is brought in: by which form, under which name, and what to underline."""

    form: str
    name: str  # the name, attribute, parameter or key that gets it; empty for bare arguments
    span: Range
    fallback: bool  # something else is tried first
    op: Op | None = None  # the operation that does it


def children(term: Term) -> Sequence[tuple[Role, Term]]:
    """The parts of a term, each with its role."""
    of = _CHILDREN.get(term.__class__)
    return of(term) if of is not None else ()


def _of_call(term: Call) -> list[tuple[Role, Term]]:
    return [("(func)", term.func), *enumerate(term.args), *((key or "**", value) for key, value in term.keywords)]


def _of_choice(term: Choice) -> list[tuple[Role, Term]]:
    return [*([("(test)", term.test)] if term.test is not None else ()), *enumerate(term.parts)]


def _of_display(term: Display) -> list[tuple[Role, Term]]:
    found: list[tuple[Role, Term]] = []
    for position, value in enumerate(term.values):
        key = term.keys[position] if position < len(term.keys) else None
        if key is not None:
            found.append(("(key)", key))
        found.append((key.value if isinstance(key, Const) and isinstance(key.value, str) else position, value))
    return found


def _of_parts(term: Blend | Test) -> list[tuple[Role, Term]]:
    return list(enumerate(term.parts))


def _of_value(term: Await | Part | Star | Yield) -> tuple[tuple[Role, Term]]:
    return ((0, term.value),)


_CHILDREN: dict[type, Callable[[Any], Sequence[tuple[Role, Term]]]] = {
    Call: _of_call,
    Choice: _of_choice,
    Blend: _of_parts,
    Test: _of_parts,
    Display: _of_display,
    Attr: lambda term: (("(base)", term.base),),
    Item: lambda term: (("(base)", term.base), ("(key)", term.key)),
    Await: _of_value,
    Part: _of_value,
    Star: _of_value,
    Yield: _of_value,
}


def site(module: Module, span: Range) -> Site | None:
    """The place of the term with exactly this range; the innermost function wins."""
    for info in reversed(module.functions):
        for param in info.function.params:
            if param.default is not None and (found := _within(param.default, span, ())):
                return Site(info, -1, param, *found)
        for position, op in enumerate(info.function.ops):
            for term in roots(op):
                if found := _within(term, span, ()):
                    return Site(info, position, None, *found)
    return None


def roots(op: Op) -> tuple[Term, ...]:
    """The terms of an operation."""
    match op:
        case Bind():
            return (op.value, op.target)
        case Return():
            return (op.value,)
        case Drop():
            return (op.target,)
        case _:
            return (op.term,)


def _within(term: Term, span: Range, steps: tuple[Step, ...]) -> tuple[Term, tuple[Step, ...]] | None:
    own = getattr(term, "span", 0)
    if own == span:
        return term, steps
    if own and not covers(own, span):
        return None
    for role, child in children(term):
        if found := _within(child, span, (*steps, Step(term, role))):
            return found
    return None


# --- forms ----------------------------------------------------------------------------------------------------------


def origin(at: Site) -> Origin:
    """How the term of a site gets into the program."""
    return _origin(at)._replace(op=at.op)


def _origin(at: Site) -> Origin:
    if at.param is not None:
        whole = span_of(at.param.default, span_of(at.term))
        return Origin("default", at.param.name, span_of(at.term) if isinstance(at.term, Const) else whole, True)
    span = span_of(at.term)
    for step in reversed(at.steps):
        match step:
            case Step(Choice(op="or"), int(role)) if role > 0:
                return Origin("or", target_name(at.op), span, True)
            case Step(Choice(op="if", parts=parts), int(role)) if not isinstance(parts[1 - role], Const):
                return Origin("else", target_name(at.op), span, True)
            case Step(Call() as call, role) if _is_default_of(call, role):
                return Origin("get", target_name(at.op), span, True)
            case Step(Call(), int()):
                return Origin("argument", "", span, False) if not _in_class(at) else _assigned(at)
            case Step(Call(), str(role)) if role != "(func)":
                return Origin("keyword", role, span, False) if not _in_class(at) else _assigned(at)
            case Step(Display(kind="dict"), str(role)) if role != "(key)":
                return Origin("dict-key", role, span, False)
            case Step(Item(), "(key)"):
                return Origin("key", "", span, False)
            case _:
                continue
    return _assigned(at)


def span_of(term: Term | None, otherwise: Range = 0) -> Range:
    """The range of a term, or else the other one: `await x` and `*x` have none of their own."""
    return getattr(term, "span", 0) or otherwise


def _is_default_of(call: Call, role: Role) -> bool:
    """Whether a role is the default of a look-up: `x.get("session_id", <here>)`."""
    name = call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""
    if name not in _DEFAULTING:
        return False
    return role == "default" or (isinstance(role, int) and role > (1 if name == "getattr" else 0))


def _in_class(at: Site) -> bool:
    return at.info.function.kind is Kind.CLASS


def _assigned(at: Site) -> Origin:
    op = at.op
    assert op is not None
    branch = _in_branch(at)
    if isinstance(op, Return):
        others = [o for o in at.info.function.ops if isinstance(o, Return) and not isinstance(o.value, Const)]
        return Origin("return", at.info.function.name, span_of(at.term), bool(others))
    if not isinstance(op, Bind):
        return Origin("argument", "", span_of(at.term), False)
    name = target_name(op)
    if at.info.function.kind is Kind.CLASS:
        return Origin("class-attribute", name, op.span, False)
    if at.info.function.kind is Kind.MODULE:
        return Origin("module", name, op.span, branch and _otherwise(at, op))
    return Origin("else" if branch and _otherwise(at, op) else "assign", name, op.span, _otherwise(at, op))


def _in_branch(at: Site) -> bool:
    op, blocks = at.op, at.info.function.blocks
    return op is not None and any(blocks[b].kind in _BRANCHES for b in ancestors(blocks, op.block))


def _otherwise(at: Site, op: Bind) -> bool:
    """Whether the same name gets something else on another way: another binding, or the parameter itself."""
    if not isinstance(op.target, Name):
        return False
    if op.target.id in at.info.param_names:
        return True
    others = [at.info.function.ops[p] for p in at.info.binds().get(op.target.id, ()) if p != at.position]
    return any(not isinstance(o.value, Const) for o in others if isinstance(o, Bind))


def target_name(op: Op | None) -> str:
    """The name that an operation gives its value: a local, an attribute, a constant key."""
    match op:
        case Bind(target=Name(id=name)) | Bind(target=Attr(name=name)):
            return name
        case Bind(target=Item(key=Const(value=str(name)))):
            return name
        case _:
            return ""
