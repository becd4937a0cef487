"""One function and two sets of its nodes to the reads that a run may reach before any store.

Definite assignment over statements, as compilers do it: exact enough to refuse, never to guess. No values, no calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import libcst as cst
from msgspec import Struct, field

from leaklint.codemods import Refused
from leaklint.syntax import Syntax


def refuse_what_is_left(
    syntax: Syntax,
    function: cst.FunctionDef,
    stores: Sequence[cst.CSTNode],
    reads: Sequence[cst.CSTNode],
    name: str,
) -> None:
    """Raise Refused unless the function reads what it stores under a name, and only behind a store of the same call."""
    if not reads:
        raise Refused(f"nothing in `{function.name.value}` reads `{name}` again: {syntax.site((*stores, function)[0])}")
    if early := unassigned(syntax, function, stores, reads):
        left = f"`{function.name.value}` may read what an earlier call left in `{name}`"
        raise Refused(f"{left}: {syntax.site(early[0])}")


def unassigned(
    syntax: Syntax,
    function: cst.FunctionDef,
    stores: Collection[cst.CSTNode],
    reads: Collection[cst.CSTNode],
    *,
    lenient: bool = False,
) -> list[cst.CSTNode]:
    """The reads, in order, that are not behind a store on every path through the function.

    `lenient` takes it that a loop runs at least once and that a `with` comes to the end of its block.
    A nested function or lambda reads where it is written.
    """
    flow = _Flow(syntax, frozenset(stores), frozenset(reads), lenient)
    flow.block(function.body, False)
    return flow.early


def is_always_stored(
    syntax: Syntax, function: cst.FunctionDef, stores: Collection[cst.CSTNode], reads: Collection[cst.CSTNode]
) -> bool:
    """Whether all reads are behind a store on every path, and so is every way out of the function."""
    ways_out = list(syntax.walk(function.body, cst.Return, cst.Yield))
    flow = _Flow(syntax, frozenset(stores), frozenset((*reads, *ways_out)), False)
    return flow.block(function.body, False) and not flow.early


def comes_to_its_end(syntax: Syntax, function: cst.FunctionDef) -> bool:
    """Whether a run of the function may come to the end of its body; in doubt it may."""
    return not _Flow(syntax, frozenset(), frozenset(), False).block(function.body, False)


class _Flow(Struct):
    """Walks statements with one truth: whether a store has happened. What cannot be reached counts as stored."""

    syntax: Syntax
    stores: frozenset[cst.CSTNode]
    reads: frozenset[cst.CSTNode]
    lenient: bool
    early: list[cst.CSTNode] = field(default_factory=list)

    def block(self, block: cst.BaseSuite, stored: bool) -> bool:
        for statement in block.body:
            stored = self.statement(statement, stored)
        return stored

    def statement(self, node: cst.CSTNode, stored: bool) -> bool:
        match node:
            case cst.SimpleStatementLine():
                for small in node.body:
                    stored = self.small(small, stored)
                return stored
            case cst.If():
                stored = self.expression(node.test, stored)
                ends = self.block(node.body, stored), self.otherwise(node.orelse, stored)
                return all(ends)
            case cst.For():
                stored = self.expression(node.iter, stored)
                inside = self.block(node.body, self.target(node.target, stored))
                return self.after_loop(node.orelse, stored, inside)
            case cst.While():
                stored = self.expression(node.test, stored)
                return self.after_loop(node.orelse, stored, self.block(node.body, stored))
            case cst.With():
                for item in node.items:
                    stored = self.expression(item.item, stored)
                    stored = self.target(item.asname, stored) if item.asname else stored
                inside = self.block(node.body, stored)
                return inside if self.lenient or _always_stored(node, self) else stored
            case cst.Try() | cst.TryStar():
                return self.trying(node, stored)
            case cst.Match():
                stored = self.expression(node.subject, stored)
                cases = [self.case(case, stored) for case in node.cases]
                return all(cases) and (stored or _is_exhaustive(node))
            case cst.ClassDef():
                self.expressions((*node.decorators, *node.bases, *node.keywords), stored)
                return self.block(node.body, stored)
            case _:
                self.expression(node, stored)
                return stored

    def small(self, node: cst.BaseSmallStatement, stored: bool) -> bool:
        match node:
            case cst.Assign():
                stored = self.expression(node.value, stored)
                for target in node.targets:
                    stored = self.target(target, stored)
                return stored
            case cst.AnnAssign():
                if node.value is None:
                    return stored
                return self.target(node.target, self.expression(node.value, stored))
            case cst.Return() | cst.Raise() | cst.Break() | cst.Continue():
                self.expression(node, stored)
                return True
            case _:
                return self.expression(node, stored)

    def trying(self, node: cst.Try | cst.TryStar, stored: bool) -> bool:
        ends = [self.otherwise(node.orelse, self.block(node.body, stored))]
        for handler in node.handlers:
            if handler.type is not None:
                self.expression(handler.type, stored)
            ends.append(self.block(handler.body, stored))
        if node.finalbody is None:
            return all(ends)
        return self.block(node.finalbody.body, stored and all(ends)) or all(ends)

    def after_loop(self, orelse: cst.Else | None, before: bool, inside: bool) -> bool:
        stored = inside if self.lenient else before
        self.otherwise(orelse, stored)
        return stored

    def otherwise(self, orelse: cst.If | cst.Else | None, stored: bool) -> bool:
        if orelse is None:
            return stored
        return self.statement(orelse, stored) if isinstance(orelse, cst.If) else self.block(orelse.body, stored)

    def case(self, case: cst.MatchCase, stored: bool) -> bool:
        if case.guard is not None:
            stored = self.expression(case.guard, stored)
        return self.block(case.body, stored)

    def target(self, target: cst.CSTNode, stored: bool) -> bool:
        """A target: what it reads comes first, then the store itself."""
        return self.expression(target, stored)

    def expressions(self, nodes: Iterable[cst.CSTNode], stored: bool) -> None:
        for node in nodes:
            self.expression(node, stored)

    def expression(self, node: cst.CSTNode, stored: bool) -> bool:
        here = list(self.syntax.walk(node))
        if not stored:
            self.early += [one for one in here if one in self.reads]
        return stored or any(one in self.stores for one in here)


def _always_stored(node: cst.With, flow: _Flow) -> bool:
    """Whether what the `with` enters holds the store itself, so that swallowed exceptions of its block do not count."""
    return any(one in flow.stores for item in node.items for one in flow.syntax.walk(item))


def _is_exhaustive(node: cst.Match) -> bool:
    last = node.cases[-1]
    return last.guard is None and isinstance(last.pattern, cst.MatchAs) and last.pattern.pattern is None
