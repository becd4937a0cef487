"""One module's tree to its code as terms and operations, in one walk over what the standard library parsed.

No I/O, no other module, no knowledge of any library; nothing is raised, but for what nests too deeply.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from leaklint.index.summary import (
    ELEMENT,
    ENTERED,
    Attr,
    Await,
    Bind,
    Blend,
    Block,
    BlockKind,
    Call,
    Choice,
    Class,
    ClassRef,
    Code,
    Const,
    Display,
    Drop,
    Eval,
    Function,
    FunctionRef,
    How,
    Imported,
    Item,
    Kind,
    Name,
    Op,
    Param,
    ParamKind,
    Part,
    Range,
    Return,
    Star,
    Term,
    Test,
    Yield,
    pack,
)


def lower(tree: ast.Module) -> Code:
    """The functions and classes of a module's tree."""
    walk = _Lower()
    walk.module(tree)
    return Code(tuple([f for f in walk.functions if f is not None]), tuple([c for c in walk.classes if c is not None]))


class _Body:
    """What is known so far of the function whose statements are being lowered."""

    __slots__ = (
        "blocks",
        "bound",
        "generator",
        "globals",
        "index",
        "nonlocals",
        "ops",
        "order",
        "owner",
        "qualname",
        "suspends",
    )

    def __init__(self, index: int, qualname: str, owner: int) -> None:
        self.index = index
        self.qualname = qualname
        self.owner = owner  # the class whose body this is; -1 for functions
        self.ops: list[Op] = []
        self.blocks: list[Block] = [Block(-1, BlockKind.BODY, None, -1, False, 0, 0)]
        self.bound: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.suspends: list[int] = []
        self.order = 0
        self.generator = False


class _Lower:
    """Lowers one module; the state is the body being lowered and the block the next statement belongs to."""

    def __init__(self) -> None:
        self.functions: list[Function | None] = []
        self.classes: list[Class | None] = []
        self.body = _Body(0, "", -1)
        self.block = 0
        self.pending: list[Callable[[], None]] = []  # function bodies wait until their surroundings are lowered

    def module(self, tree: ast.Module) -> None:
        body = self.body
        self.functions.append(None)
        self.statements(tree.body)
        while self.pending:
            self.pending.pop()()
        end = tree.body[-1].end_lineno or 1 if tree.body else 1
        span = pack(1, 0, end, 0)
        self.functions[0] = self.finished(
            body, "<module>", Kind.MODULE, span, pack(1, 0, 1, 0), -1, -1, (), (), None, False, False
        )

    def finished(
        self,
        body: _Body,
        name: str,
        kind: Kind,
        span: Range,
        head: Range,
        parent: int,
        owner: int,
        params: tuple[Param, ...],
        decorators: tuple[Term, ...],
        returns: Term | None,
        is_async: bool,
        stub: bool,
    ) -> Function:
        return Function(
            index=body.index,
            name=name,
            qualname=body.qualname or "<module>",
            kind=kind,
            span=span,
            head=head,
            parent=parent,
            owner=owner,
            params=params,
            decorators=decorators,
            returns=returns,
            ops=tuple(body.ops),
            blocks=tuple(body.blocks),
            bound=frozenset(body.bound),
            globals=frozenset(body.globals),
            nonlocals=frozenset(body.nonlocals),
            suspends=tuple(body.suspends),
            is_async=is_async,
            is_generator=body.generator,
            stub=stub,
        )

    # --- statements ------------------------------------------------------------------------------------------------

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            _STATEMENTS[node.__class__](self, node)

    def step(self) -> int:
        self.body.order += 1
        return self.body.order

    def nested(self, kind: BlockKind, term: Term | None, peer: int, nodes: Sequence[ast.stmt]) -> int:
        """Lower statements in a block of their own; gives the block's index."""
        blocks, outer = self.body.blocks, self.block
        self.block = len(blocks)
        start = self.body.order
        exits = bool(nodes) and isinstance(nodes[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))
        blocks.append(Block(outer, kind, term, peer, exits, start, start))
        index = self.block
        self.statements(nodes)
        blocks[index] = replace(blocks[index], end=self.body.order)
        self.block = outer
        return index

    def bind(self, target: ast.expr, value: Term, how: How, span: Range, annotation: Term | None = None) -> None:
        """One `Bind` a name, attribute or item; tuples are taken apart."""
        if isinstance(target, (ast.Tuple, ast.List)):
            literal = value.values if isinstance(value, Display) and value.kind in ("tuple", "list") else ()
            plain = len(literal) == len(target.elts) and not any(isinstance(v, Star) for v in literal)
            for position, element in enumerate(target.elts):
                if isinstance(element, ast.Starred):
                    self.bind(element.value, Part(value, ELEMENT), how, span)
                else:
                    self.bind(element, literal[position] if plain else Part(value, position), how, span)
            return
        term = self.expr(target)
        if term.__class__ is Name:
            self.body.bound.add(term.id)
        self.body.ops.append(Bind(term, value, how, span, self.block, self.step(), annotation))

    def bind_name(self, name: str, value: Term, how: How, span: Range) -> None:
        self.body.bound.add(name)
        self.body.ops.append(Bind(Name(name, span), value, how, span, self.block, self.step()))

    def s_expr(self, node: ast.Expr) -> None:
        if node.value.__class__ is ast.Constant:
            return
        term = self.expr(node.value)
        self.body.ops.append(Eval(term, _span(node), self.block, self.step()))

    def s_assign(self, node: ast.Assign) -> None:
        value, span = self.expr(node.value), _span(node)
        for target in node.targets:
            self.bind(target, value, How.ASSIGN, span)

    def s_augassign(self, node: ast.AugAssign) -> None:
        span = _span(node)
        target = self.expr(node.target)
        value = Blend(node.op.__class__.__name__, (target, self.expr(node.value)), span)
        if isinstance(target, Name):
            self.body.bound.add(target.id)
        self.body.ops.append(Bind(target, value, How.AUGMENT, span, self.block, self.step()))

    def s_annassign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        if node.value is None and self.body.owner >= 0 and (said := _default_said(annotation)) is not None:
            self.bind(node.target, said, How.ASSIGN, _span(node), annotation)
        elif node.value is None:
            self.bind(node.target, Const(None, 0), How.DECLARE, _span(node), annotation)
        else:
            self.bind(node.target, self.expr(node.value), How.ASSIGN, _span(node), annotation)

    def s_return(self, node: ast.Return) -> None:
        span = _span(node)
        value = Const(None, span) if node.value is None else self.expr(node.value)
        self.body.ops.append(Return(value, span, self.block, self.step()))

    def s_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.body.ops.append(Drop(self.expr(target), _span(node), self.block, self.step()))

    def s_if(self, node: ast.If) -> None:
        test = self.expr(node.test)
        self.body.ops.append(Eval(test, _span(node.test), self.block, self.step()))
        peer = len(self.body.blocks)
        self.nested(BlockKind.IF, test, peer, node.body)
        if node.orelse:
            self.nested(BlockKind.ELSE, test, peer, node.orelse)

    def s_while(self, node: ast.While) -> None:
        test = self.expr(node.test)
        self.body.ops.append(Eval(test, _span(node.test), self.block, self.step()))
        self.nested(BlockKind.LOOP, test, -1, node.body)
        if node.orelse:
            self.nested(BlockKind.ELSE, test, -1, node.orelse)

    def s_for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.expr(node.iter)
        if node.__class__ is ast.AsyncFor:
            self.body.suspends.append(self.step())
        blocks, outer = self.body.blocks, self.block
        self.block = index = len(blocks)
        blocks.append(Block(outer, BlockKind.LOOP, iterated, -1, False, self.body.order, 0))
        self.bind(node.target, Part(iterated, ELEMENT), How.LOOP, _span(node.target))
        self.statements(node.body)
        blocks[index] = replace(blocks[index], end=self.body.order)
        self.block = outer
        if node.orelse:
            self.nested(BlockKind.ELSE, None, -1, node.orelse)

    def s_with(self, node: ast.With | ast.AsyncWith) -> None:
        outer, opened = self.block, []
        for item in node.items:
            manager = self.expr(item.context_expr)
            if node.__class__ is ast.AsyncWith:
                self.body.suspends.append(self.step())
            blocks = self.body.blocks
            opened.append(len(blocks))
            blocks.append(Block(self.block, BlockKind.WITH, manager, -1, False, self.body.order, 0))
            self.block = opened[-1]
            span = _span(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, Part(manager, ENTERED), How.WITH, span)
            else:
                self.body.ops.append(Eval(Part(manager, ENTERED), span, self.block, self.step()))
        self.statements(node.body)
        for index in opened:
            self.body.blocks[index] = replace(self.body.blocks[index], end=self.body.order)
        self.block = outer

    def s_try(self, node: Any) -> None:
        peer = len(self.body.blocks)
        self.nested(BlockKind.TRY, None, peer, node.body)
        for handler in node.handlers:
            term = self.expr(handler.type) if handler.type is not None else None
            if handler.name:
                self.bind_name(handler.name, term or Const(None, 0), How.EXCEPT, _span(handler))
            self.nested(BlockKind.EXCEPT, term, peer, handler.body)
        if node.orelse:
            self.nested(BlockKind.ELSE, None, -1, node.orelse)
        if node.finalbody:
            self.nested(BlockKind.FINALLY, None, -1, node.finalbody)

    def s_match(self, node: ast.Match) -> None:
        subject = self.expr(node.subject)
        self.body.ops.append(Eval(subject, _span(node.subject), self.block, self.step()))
        peer = len(self.body.blocks)
        for case in node.cases:
            for part in ast.walk(case.pattern):
                name = getattr(part, "name", None) or getattr(part, "rest", None)
                if isinstance(name, str):
                    self.bind_name(name, Part(subject, ELEMENT), How.MATCH, _span(part))
            if case.guard is not None:
                self.body.ops.append(Eval(self.expr(case.guard), _span(case.guard), self.block, self.step()))
            self.nested(BlockKind.CASE, subject, peer, case.body)

    def s_raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.body.ops.append(Eval(self.expr(part), _span(node), self.block, self.step()))

    def s_assert(self, node: ast.Assert) -> None:
        self.body.ops.append(Eval(self.expr(node.test), _span(node), self.block, self.step()))

    def s_import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                term = Imported(alias.name, "", 0)
                self.bind_name(alias.asname, term, How.IMPORT, _span(node))
            else:
                term = Imported(alias.name.partition(".")[0], "", 0)
                self.bind_name(term.module, term, How.IMPORT, _span(node))

    def s_importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            term = Imported(node.module or "", alias.name, node.level)
            self.bind_name(alias.asname or alias.name, term, How.IMPORT, _span(node))

    def s_global(self, node: ast.Global) -> None:
        self.body.globals.update(node.names)

    def s_nonlocal(self, node: ast.Nonlocal) -> None:
        self.body.nonlocals.update(node.names)

    def s_nothing(self, node: ast.stmt) -> None:
        pass

    def s_typealias(self, node: Any) -> None:
        self.bind(node.name, self.expr(node.value), How.ASSIGN, _span(node))

    # --- definitions -----------------------------------------------------------------------------------------------

    def s_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = tuple([self.expr(d) for d in node.decorator_list])
        returns = self.annotation(node.returns) if node.returns is not None else None
        head = pack(node.lineno, node.col_offset, node.lineno, node.col_offset + len("def ") + len(node.name))
        if node.__class__ is ast.AsyncFunctionDef:
            head += len("async ")
        index = self.function(node, node.name, Kind.FUNCTION, node.body, decorators, returns, head)
        self.bind_name(node.name, FunctionRef(index, head), How.DEFINE, head)

    def function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        name: str,
        kind: Kind,
        statements: Sequence[ast.stmt] | ast.expr,
        decorators: tuple[Term, ...],
        returns: Term | None,
        head: Range,
    ) -> int:
        """Reserve a function; its defaults are lowered here, its body when this body is done."""
        params = self.params(node.args)
        index = len(self.functions)
        self.functions.append(None)
        outer = self.body
        qualname = f"{outer.qualname}.{name}" if outer.qualname else name
        body = _Body(index, qualname, -1)
        body.bound.update(p.name for p in params)
        is_async = node.__class__ is ast.AsyncFunctionDef

        def finish() -> None:
            self.body, self.block = body, 0
            if isinstance(statements, ast.expr):
                value = self.expr(statements)
                body.ops.append(Return(value, _span(statements), 0, self.step()))
                stub = False
            else:
                self.statements(statements)
                stub = _is_stub(statements)
            self.functions[index] = self.finished(
                body,
                name,
                kind,
                _span(node),
                head,
                outer.index,
                outer.owner,
                params,
                decorators,
                returns,
                is_async,
                stub,
            )

        self.pending.append(finish)
        return index

    def params(self, args: ast.arguments) -> tuple[Param, ...]:
        found: list[Param] = []
        positional = [*args.posonlyargs, *args.args]
        first_default = len(positional) - len(args.defaults)
        for position, arg in enumerate(positional):
            kind = ParamKind.POSITIONAL_ONLY if position < len(args.posonlyargs) else ParamKind.POSITIONAL
            default = args.defaults[position - first_default] if position >= first_default else None
            found.append(self.param(arg, kind, default))
        if args.vararg is not None:
            found.append(self.param(args.vararg, ParamKind.VAR_POSITIONAL, None))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self.param(arg, ParamKind.KEYWORD, default))
        if args.kwarg is not None:
            found.append(self.param(args.kwarg, ParamKind.VAR_KEYWORD, None))
        return tuple(found)

    def param(self, arg: ast.arg, kind: ParamKind, default: ast.expr | None) -> Param:
        return Param(
            arg.arg,
            kind,
            self.expr(default) if default is not None else None,
            self.annotation(arg.annotation) if arg.annotation is not None else None,
            _span(arg),
        )

    def s_class(self, node: ast.ClassDef) -> None:
        decorators = tuple([self.expr(d) for d in node.decorator_list])
        bases = tuple([self.expr(b) for b in node.bases])
        keywords = tuple([(k.arg, self.expr(k.value)) for k in node.keywords])
        index, body_index = len(self.classes), len(self.functions)
        self.classes.append(None)
        self.functions.append(None)
        outer, outer_block = self.body, self.block
        qualname = f"{outer.qualname}.{node.name}" if outer.qualname else node.name
        head = pack(node.lineno, node.col_offset, node.lineno, node.col_offset + len("class ") + len(node.name))
        body = self.body = _Body(body_index, qualname, index)
        self.block = 0
        self.statements(node.body)
        self.functions[body_index] = self.finished(
            body, node.name, Kind.CLASS, _span(node), head, outer.index, index, (), (), None, False, False
        )
        self.body, self.block = outer, outer_block
        methods = tuple(
            (op.target.id, op.value.index)
            for op in body.ops
            if isinstance(op, Bind) and isinstance(op.target, Name) and isinstance(op.value, FunctionRef)
        )
        self.classes[index] = Class(
            index, node.name, qualname, _span(node), head, outer.index, body_index, bases, keywords, decorators, methods
        )
        self.bind_name(node.name, ClassRef(index, head), How.DEFINE, head)

    # --- expressions -----------------------------------------------------------------------------------------------

    def expr(self, node: ast.expr) -> Term:
        return _EXPRESSIONS[node.__class__](self, node)

    def annotation(self, node: ast.expr) -> Term:
        """An annotation's term; a string annotation is parsed in place."""
        if node.__class__ is ast.Constant and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return Const(None, 0)
            for part in ast.walk(inner):
                if isinstance(part, ast.expr):
                    part.lineno, part.col_offset = node.lineno, node.col_offset
                    part.end_lineno, part.end_col_offset = node.end_lineno, node.end_col_offset
            return self.expr(inner)
        return self.expr(node)

    def e_constant(self, node: ast.Constant) -> Term:
        value = node.value
        if value is ...:
            value = None
        return Const(
            value,
            (node.lineno << 56) | (node.col_offset << 40) | (node.end_lineno << 16) | node.end_col_offset,  # type: ignore[operator]
        )

    def e_name(self, node: ast.Name) -> Term:
        return Name(
            node.id,
            (node.lineno << 56) | (node.col_offset << 40) | (node.end_lineno << 16) | node.end_col_offset,  # type: ignore[operator]
        )

    def e_attribute(self, node: ast.Attribute) -> Term:
        value = node.value
        return Attr(
            _EXPRESSIONS[value.__class__](self, value),
            node.attr,
            (node.lineno << 56) | (node.col_offset << 40) | (node.end_lineno << 16) | node.end_col_offset,  # type: ignore[operator]
        )

    def e_call(self, node: ast.Call) -> Term:
        func = node.func
        term = _EXPRESSIONS[func.__class__](self, func)
        args = tuple([_EXPRESSIONS[a.__class__](self, a) for a in node.args])
        keywords = tuple([(k.arg, self.expr(k.value)) for k in node.keywords]) if node.keywords else ()
        self.body.order += 1
        return Call(
            term,
            args,
            keywords,
            (node.lineno << 56) | (node.col_offset << 40) | (node.end_lineno << 16) | node.end_col_offset,  # type: ignore[operator]
            self.body.order,
        )

    def e_subscript(self, node: ast.Subscript) -> Term:
        return Item(self.expr(node.value), self.expr(node.slice), _span(node))

    def e_starred(self, node: ast.Starred) -> Term:
        return Star(self.expr(node.value))

    def e_boolop(self, node: ast.BoolOp) -> Term:
        op = "or" if node.op.__class__ is ast.Or else "and"
        return Choice(op, None, tuple([self.expr(v) for v in node.values]), _span(node))

    def e_ifexp(self, node: ast.IfExp) -> Term:
        return Choice("if", self.expr(node.test), (self.expr(node.body), self.expr(node.orelse)), _span(node))

    def e_binop(self, node: ast.BinOp) -> Term:
        parts: list[ast.expr] = []
        left: ast.expr = node
        while left.__class__ is ast.BinOp:  # long chains must not nest
            parts.append(left.right)
            left = left.left
        parts.append(left)
        return Blend(node.op.__class__.__name__, tuple([self.expr(p) for p in reversed(parts)]), _span(node))

    def e_unaryop(self, node: ast.UnaryOp) -> Term:
        if node.op.__class__ is ast.Not:
            return Test("not", (self.expr(node.operand),), _span(node))
        return Blend(node.op.__class__.__name__, (self.expr(node.operand),), _span(node))

    def e_compare(self, node: ast.Compare) -> Term:
        parts = (self.expr(node.left), *[self.expr(c) for c in node.comparators])
        return Test(node.ops[0].__class__.__name__, parts, _span(node))

    def e_joinedstr(self, node: Any) -> Term:
        span = _span(node)
        # A text is where its string is: Python 3.11 knows no more.
        parts = [Const(str(v.value), span) if isinstance(v, ast.Constant) else self.expr(v) for v in node.values]
        return Blend("fstring", tuple(parts), span)

    def e_formatted(self, node: Any) -> Term:
        return self.expr(node.value)

    def e_sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Term:
        kind = node.__class__.__name__.lower()
        return Display(kind, (), tuple([self.expr(e) for e in node.elts]), _span(node))

    def e_dict(self, node: ast.Dict) -> Term:
        keys = tuple([self.expr(k) if k is not None else None for k in node.keys])
        return Display("dict", keys, tuple([self.expr(v) for v in node.values]), _span(node))

    def e_comprehension(self, node: Any) -> Term:
        for generator in node.generators:
            iterated = self.expr(generator.iter)
            if generator.is_async:
                self.body.suspends.append(self.step())
            self.bind(generator.target, Part(iterated, ELEMENT), How.LOOP, _span(generator.target))
            for condition in generator.ifs:
                self.body.ops.append(Eval(self.expr(condition), _span(condition), self.block, self.step()))
        if isinstance(node, ast.DictComp):
            if node.value is None:  # `{**mapping for …}`, from Python 3.15 on
                return Display("dict", (None,), (self.expr(node.key),), _span(node))
            return Display("dict", (self.expr(node.key),), (self.expr(node.value),), _span(node))
        kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(node.__class__, "generator")
        return Display(kind, (), (self.expr(node.elt),), _span(node))

    def e_await(self, node: ast.Await) -> Term:
        value = self.expr(node.value)
        order = self.step()
        self.body.suspends.append(order)
        return Await(value, order)

    def e_yield(self, node: ast.Yield | ast.YieldFrom) -> Term:
        value = self.expr(node.value) if node.value is not None else Const(None, _span(node))
        order = self.step()
        self.body.suspends.append(order)
        self.body.generator = True
        return Yield(Part(value, ELEMENT) if node.__class__ is ast.YieldFrom else value, order)

    def e_lambda(self, node: ast.Lambda) -> Term:
        span = _span(node)
        return FunctionRef(self.function(node, "<lambda>", Kind.LAMBDA, node.body, (), None, span), span)

    def e_walrus(self, node: ast.NamedExpr) -> Term:
        value = self.expr(node.value)
        self.bind(node.target, value, How.ASSIGN, _span(node))
        return value

    def e_slice(self, node: ast.Slice) -> Term:
        parts = tuple([self.expr(p) for p in (node.lower, node.upper, node.step) if p is not None])
        return Blend("slice", parts, _span(node))


def _span(node: Any) -> Range:
    return pack(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _is_stub(statements: Sequence[ast.stmt]) -> bool:
    for node in statements:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.Raise(exc=ast.Name(id="NotImplementedError") | ast.Call(func=ast.Name(id="NotImplementedError"))):
                continue
            case _:
                return False
    return True


_STATEMENTS: dict[type[ast.stmt], Callable[[_Lower, Any], None]] = {
    ast.Expr: _Lower.s_expr,
    ast.Assign: _Lower.s_assign,
    ast.AugAssign: _Lower.s_augassign,
    ast.AnnAssign: _Lower.s_annassign,
    ast.Return: _Lower.s_return,
    ast.Delete: _Lower.s_delete,
    ast.If: _Lower.s_if,
    ast.While: _Lower.s_while,
    ast.For: _Lower.s_for,
    ast.AsyncFor: _Lower.s_for,
    ast.With: _Lower.s_with,
    ast.AsyncWith: _Lower.s_with,
    ast.Try: _Lower.s_try,
    ast.TryStar: _Lower.s_try,
    ast.Match: _Lower.s_match,
    ast.Raise: _Lower.s_raise,
    ast.Assert: _Lower.s_assert,
    ast.Import: _Lower.s_import,
    ast.ImportFrom: _Lower.s_importfrom,
    ast.Global: _Lower.s_global,
    ast.Nonlocal: _Lower.s_nonlocal,
    ast.Pass: _Lower.s_nothing,
    ast.Break: _Lower.s_nothing,
    ast.Continue: _Lower.s_nothing,
    ast.FunctionDef: _Lower.s_function,
    ast.AsyncFunctionDef: _Lower.s_function,
    ast.ClassDef: _Lower.s_class,
}
if sys.version_info >= (3, 12):
    _STATEMENTS[ast.TypeAlias] = _Lower.s_typealias


def _default_said(annotation: Term) -> Call | None:
    """The call in `Annotated[T, ...]` that says what a field is where nobody gives it."""
    match annotation:
        case Item(base=Name(id="Annotated") | Attr(name="Annotated"), key=Display(values=(_, *said))):
            calls = [term for term in said if isinstance(term, Call)]
            return next((c for c in calls if any(k in ("default", "default_factory") for k, _ in c.keywords)), None)
        case _:
            return None


_EXPRESSIONS: dict[type[ast.expr], Callable[[_Lower, Any], Term]] = {
    ast.Constant: _Lower.e_constant,
    ast.Name: _Lower.e_name,
    ast.Attribute: _Lower.e_attribute,
    ast.Call: _Lower.e_call,
    ast.Subscript: _Lower.e_subscript,
    ast.Starred: _Lower.e_starred,
    ast.BoolOp: _Lower.e_boolop,
    ast.IfExp: _Lower.e_ifexp,
    ast.BinOp: _Lower.e_binop,
    ast.UnaryOp: _Lower.e_unaryop,
    ast.Compare: _Lower.e_compare,
    ast.JoinedStr: _Lower.e_joinedstr,
    ast.FormattedValue: _Lower.e_formatted,
    ast.List: _Lower.e_sequence,
    ast.Tuple: _Lower.e_sequence,
    ast.Set: _Lower.e_sequence,
    ast.Dict: _Lower.e_dict,
    ast.ListComp: _Lower.e_comprehension,
    ast.SetComp: _Lower.e_comprehension,
    ast.DictComp: _Lower.e_comprehension,
    ast.GeneratorExp: _Lower.e_comprehension,
    ast.Await: _Lower.e_await,
    ast.Yield: _Lower.e_yield,
    ast.YieldFrom: _Lower.e_yield,
    ast.Lambda: _Lower.e_lambda,
    ast.NamedExpr: _Lower.e_walrus,
    ast.Slice: _Lower.e_slice,
}
for _name, _method in (("TemplateStr", _Lower.e_joinedstr), ("Interpolation", _Lower.e_formatted)):
    if _type := getattr(ast, _name, None):  # Python 3.14
        _EXPRESSIONS[_type] = _method
