"""A function and its calls to the edits that hand it one more argument, at the place its signature allows."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from leaklint.codemods import listing
from leaklint.codemods.pass_argument import argument, keyword
from leaklint.finding import Edit
from leaklint.syntax import Syntax


def by_position(function: cst.FunctionDef, calls: Sequence[cst.Call]) -> bool:
    """Whether the new parameter can stand last among the positional ones, and each call can pass it by position."""
    params = function.params
    plain = (*params.posonly_params, *params.params)
    if any(one.default is not None for one in plain) or not isinstance(params.star_arg, cst.MaybeSentinel):
        return False
    return all(one.keyword is None and not one.star for call in calls for one in call.args)


def passed(syntax: Syntax, call: cst.Call, name: str, value: str, *, positional: bool) -> list[Edit]:
    """Edits of one call. Raises Refused."""
    return argument(syntax, call, value) if positional else keyword(syntax, call, name, value)


def declared(syntax: Syntax, function: cst.FunctionDef, declaration: str, *, positional: bool) -> list[Edit]:
    """Edits that add a parameter, by keyword only unless `positional`."""
    params = function.params
    plain = (*params.params, *params.kwonly_params)
    if positional or (not any(one.default for one in plain) and isinstance(params.star_arg, cst.MaybeSentinel)):
        last = [*params.posonly_params, *params.params][-1:]
        if isinstance(params.posonly_ind, cst.ParamSlash) and not params.params:
            slash = syntax.range(params.posonly_ind)[0]
            return listing.behind(syntax, slash, slash + 1, declaration)
    elif params.kwonly_params:
        last = [params.kwonly_params[-1]]
    elif isinstance(params.star_arg, cst.Param):
        last = [params.star_arg]
    else:
        last, declaration = [*params.posonly_params, *params.params][-1:], f"*, {declaration}"
    if not last:
        return [syntax.insert(syntax.whole(function.whitespace_before_params)[1], declaration.removeprefix("*, "))]
    return listing.behind(syntax, syntax.range(last[0])[0], _end(syntax, last[0]), declaration)


def _end(syntax: Syntax, parameter: cst.Param) -> int:
    """Where a parameter ends, without its comma."""
    if parameter.default is not None:
        return syntax.whole(parameter.default)[1]
    if parameter.annotation is not None:
        return syntax.whole(parameter.annotation.annotation)[1]
    return syntax.range(parameter)[1]
