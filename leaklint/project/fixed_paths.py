"""Terms to names of files that are the same for every request, as far as the program says so.

A directory may be a name of the module that nobody knows the value of; the file's own name is a constant. A part that
is computed in any other way, or that a call gives, makes the path unknown.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Await, Blend, Call, Const, Name, Star, Term
from leaklint.project.asking import value_of
from leaklint.project.state import Frame, State
from leaklint.project.values import NOTHING, Ambient, Anything, Instance, Literal, Phase, Taint, Token, Value

_DEEP = 5  # bindings that are followed


def fixed_path(s: State, frame: Frame, term: Term, at: int) -> str:
    """The path a term always stands for, with `{name}` for unknown directories; empty when it may vary.

    Args:
        s: the state.
        frame: whose names the term uses.
        term: the term.
        at: position of the operation that the term belongs to.
    """
    text = _fixed(s, frame, term, at, _DEEP)
    if not text or "\n" in text or " " in text.strip():
        return ""
    last = text.rstrip("/").rpartition("/")[2]
    return text if "." in last.strip(".") and "{" not in last and not text.startswith(("http:", "https:")) else ""


def given(term: Call, where: tuple[str, ...]) -> Term | None:
    """The first given of some arguments of a call: positions, keywords or `receiver`."""
    for one in where:
        if one == "receiver":
            return term.func.base if isinstance(term.func, Attr) else None
        if one.isdigit():
            if int(one) < len(term.args) and not isinstance(term.args[int(one)], Star):
                return term.args[int(one)]
            continue
        for key, value in term.keywords:
            if key == one:
                return value
    return None


def _fixed(s: State, frame: Frame, term: Term, at: int, deep: int) -> str:
    if deep <= 0:
        return ""
    match term:
        case Const(value=str(text)):
            return text
        case Name():
            return _name(s, frame, term, at, deep)
        case Attr():
            return _attribute(s, frame, term, at, deep)
        case Blend(op="fstring" | "Add", parts=parts):
            return _joined("", [_fixed(s, frame, p, at, deep) for p in parts])
        case Blend(op="Div", parts=parts):
            return _joined("/", [_fixed(s, frame, p, at, deep) for p in parts])
        case Call():
            return _call(s, frame, term, at, deep)
        case Await(value=value):
            return _fixed(s, frame, value, at, deep)
        case _:
            return ""


def _joined(between: str, parts: list[str]) -> str:
    return between.join(parts).replace("//", "/") if all(parts) else ""


def _name(s: State, frame: Frame, term: Name, at: int, deep: int) -> str:
    function = frame.info.function
    if term.id in function.bound and term.id not in function.globals:
        positions, initial = frame.info.reaching(term.id, at)
        if len(positions) == 1 and not initial:
            value = getattr(function.ops[positions[0]], "value", None)
            return _fixed(s, frame, value, positions[0], deep - 1) if value is not None else ""
        value = value_of(s, frame, term, at) if not positions else NOTHING
        made_once = value and all(isinstance(a, Instance) and a.phase is Phase.SETUP for a in value)
        return f"{{{term.id}}}" if made_once else _constant(value)
    value = value_of(s, frame, term, at)
    if (text := _constant(value)) or not _may_stand(value):
        return text
    top = frame.info.module.functions[0]
    if term.id not in top.function.bound:
        return ""
    binds, outer = top.binds().get(term.id, ()), s.module_frames.get(frame.info.module)
    if len(binds) == 1 and outer is not None and frame.info.parent is not None:
        found = _fixed(s, outer, top.function.ops[binds[0]].value, binds[0], deep - 1)  # type: ignore[union-attr]
        if found:
            return found
    return f"{{{term.id}}}"


def _attribute(s: State, frame: Frame, term: Attr, at: int, deep: int) -> str:
    value = value_of(s, frame, term, at)
    if (text := _constant(value)) or not _may_stand(value):
        return text
    if text := _as_set(s, frame, term, at, deep):
        return text
    base = _fixed(s, frame, term.base, at, deep - 1)
    return f"{{{base.strip('{}')}.{term.name}}}" if base.startswith("{") else ""


def _as_set(s: State, frame: Frame, term: Attr, at: int, deep: int) -> str:
    """The path in an attribute that one place of the program sets: `self.page = folder / "page.html"`."""
    places = {
        (where.info, effect.position): (where, effect)
        for holder in value_of(s, frame, term.base, at)
        for where, effect in s.writing.get((holder, term.name), ())
    }
    if len(places) != 1:
        return ""
    ((where, effect),) = places.values()
    return _fixed(s, where, effect.value_term, effect.position, deep - 1) if effect.value_term is not None else ""


def _call(s: State, frame: Frame, term: Call, at: int, deep: int) -> str:
    made = frame.made.get(term.order)
    names = made.external if made is not None else ()
    if not any((model := s.models.call(name)) is not None and model.path for name in names):
        return ""
    parts = [a for a in term.args if not isinstance(a, Star)]
    if len(parts) != len(term.args) or term.keywords:
        return ""
    texts = [_fixed(s, frame, p, at, deep - 1) for p in parts]
    owner = _fixed(s, frame, term.func.base, at, deep - 1) if isinstance(term.func, Attr) else ""
    if owner and (not owner.startswith("{") or "/" in owner):
        texts.insert(0, owner)
    if not texts:
        return f"{{{names[0]}}}"
    return _joined("/", texts)


def _constant(value: Value) -> str:
    if len(value) == 1:
        (atom,) = value
        if isinstance(atom, Literal) and isinstance(atom.value, str):
            return atom.value
    return ""


def _may_stand(value: Value) -> bool:
    return not any(isinstance(a, (Taint, Token, Ambient, Anything)) for a in value)
