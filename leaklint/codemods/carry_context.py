"""A call that runs a function in a thread, to one that runs it in a copy of the caller's context.

Where a pool maps a function over many elements, each call gets a copy of its own: a context cannot be entered twice.
Processes and queues get no context; those are Refused.
"""

from __future__ import annotations

import libcst as cst

from leaklint.codemods import Refused, imports, listing, offer
from leaklint.codemods.scope import free_name, names_in
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import ContextLostSuspect
from leaklint.syntax import Syntax


def carry_context(syntax: Syntax, suspect: ContextLostSuspect) -> Fix:
    """Run what the call runs by `copy_context().run`."""
    return offer("Run it in a copy of the context", Safety.SAFE, lambda: _converted(syntax, suspect))


def _converted(syntax: Syntax, suspect: ContextLostSuspect) -> list[Edit]:
    _refuse_others(suspect)
    call = syntax.node_at(suspect.span, cst.Call)
    passed = next((one for one in call.args if _holds(syntax, one, suspect)), None)
    if passed is None:
        raise Refused(f"what is run is not named in the call at {syntax.site(call)}")
    here, imported = imports.member(syntax, "contextvars", "copy_context")
    if suspect.packed == "each":
        function = syntax.code(passed.value)
        names = names_in(syntax, passed.value)
        items, context = free_name("items", names), free_name("context", names)
        each = f"lambda *{items}, {context}={here}(): {context}.copy().run({function}, *{items})"
        return [*imported, *syntax.rewrite({passed.value: each})]
    runner = f"{here}().run"
    if suspect.packed == "rest":
        return [*imported, *listing.before(syntax, syntax.range(passed)[0], runner)]
    function = syntax.code(passed.value)
    return [*imported, *syntax.rewrite({passed.value: runner}), *_packed(syntax, call, suspect.packed, function)]


def _refuse_others(suspect: ContextLostSuspect) -> None:
    if suspect.border == "process":
        raise Refused("a context cannot be sent to another process: pass the value as an argument")
    if suspect.border == "queue":
        raise Refused("a context cannot be put into a queue: put the value in with the work")


def _holds(syntax: Syntax, argument: cst.Arg, suspect: ContextLostSuspect) -> bool:
    return suspect.passed is not None and syntax.span(argument.value) == suspect.passed


def _packed(syntax: Syntax, call: cst.Call, keyword: str, function: str) -> list[Edit]:
    """Edits that put the function first into the tuple of arguments that the call passes."""
    given = next((one for one in call.args if one.keyword is not None and one.keyword.value == keyword), None)
    match given.value if given is not None else None:
        case None if all(one.keyword is not None for one in call.args):
            return listing.behind(syntax, *syntax.range(call.args[-1]), f"{keyword}=({function},)")
        case cst.Tuple(elements=[first, *_]):
            return listing.before(syntax, syntax.range(first)[0], function)
        case cst.Tuple() as empty:
            return list(syntax.rewrite({empty: f"({function},)"}))
        case _:
            raise Refused(f"the arguments are not written out at {syntax.site(call)}")
