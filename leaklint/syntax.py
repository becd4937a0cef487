"""One file's text to its LibCST tree and the ranges of its nodes, and rewrites of nodes back to edits of that text.

Nothing here judges, and nothing is ever printed from the tree as a whole: what is not rewritten stays byte for byte.
"""

from __future__ import annotations

import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, pairwise
from typing import TypeAlias, TypeVar, overload

import libcst as cst
from libcst._nodes.internal import CodegenState  # the only way to every node's range in one walk, 5 times faster

from leaklint.finding import Edit, Span

Node = TypeVar("Node", bound=cst.CSTNode)
Other = TypeVar("Other", bound=cst.CSTNode)
T = TypeVar("T")

Replacement: TypeAlias = "str | cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]"
Statement: TypeAlias = "cst.SimpleStatementLine | cst.BaseCompoundStatement"

REMOVE = cst.RemovalSentinel.REMOVE

_BY_DEFAULT = (cst.BaseExpression, cst.BaseStatement, cst.BaseSmallStatement, cst.CSTNode)
_CLASS_WORD = "class"
_CLASS = re.compile(r"class[ \t]+(\w+)(?:\[[^\]]*\])?[ \t]*(?:\(([^)]*)\))?")
_WORD = re.compile(r"\w+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LOST_AT_THE_START = "\x0c\ufeff"  # LibCST drops a form feed and a byte order mark
_PRAGMA = re.compile(r"#\s*(noqa|nosec|type:|pragma|pylint|ruff|mypy|pyright|fmt|isort|leaklint)", re.IGNORECASE)
_PARENTHESISED = (cst.Tuple, cst.GeneratorExp)
_STACK = 256 * 1024 * 1024  # bytes; reserved, and used only as deep as the code is nested
_DEPTH = 50_000  # Python frames
_OPEN = 40  # files that one conversion may ask for


class NotAnalysed(Exception):  # noqa: N818  # not an error of the program: the file is set aside
    """A file that LibCST cannot take apart; the message is one clause that says why."""


class Syntax:
    """One file as a tree with the range of every node; both belong to exactly this text.

    Raises NotAnalysed for text that does not parse or is nested too deeply.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines = [0, *(end.end() for end in _LINE_END.finditer(text))]
        lead = len(text) - len(text.lstrip(_LOST_AT_THE_START))
        try:
            self.module, self._map = roomy(lambda: _parse(text[lead:], lead))
        except cst.ParserSyntaxError as error:
            raise NotAnalysed(f"does not parse at line {error.raw_line}") from None
        except RecursionError:
            raise NotAnalysed("is nested too deeply") from None
        # LibCST loses some blank text at the end of a file; ranges behind the first loss are not to be trusted.
        code = text[:lead] + "".join(self._map.tokens)
        self._sound = len(text) if code == text else _shared(text, code)

    @property
    def newline(self) -> str:
        """The line end that new lines of this file get."""
        return self.module.default_newline

    # --- positions -----------------------------------------------------------------------------------------------

    def offset(self, line: int, column: int) -> int:
        """The code-point offset of a 1-based line and column."""
        return self._lines[line - 1] + column - 1

    def range(self, node: cst.CSTNode) -> tuple[int, int]:
        """Start and end offset of a node, without the white space and parentheses around it. Raises NotAnalysed."""
        return self._checked(self._map.inner.get(node) or self._map.whole(node))

    def whole(self, node: cst.CSTNode) -> tuple[int, int]:
        """Start and end offset of a node with all it owns: parentheses, white space, comment lines above."""
        return self._checked(self._map.whole(node))

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node is, as findings say it."""
        start, end = self.range(node)
        return Span(self.path, *self.position(start), *self.position(end))

    def site(self, node: cst.CSTNode) -> str:
        """`path:line` of a node, for messages."""
        return f"{self.path}:{self.span(node).line}"

    def code(self, node: cst.CSTNode) -> str:
        """The text of a node as it stands in the file."""
        start, end = self.range(node)
        return self.text[start:end]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a code-point offset."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _checked(self, found: tuple[int, int]) -> tuple[int, int]:
        end = min(found[1], len(self.text))  # the generated last line ends in a newline that the text may lack
        if end > self._sound:
            raise NotAnalysed("holds blank text that would not survive a rewrite")
        return found[0], end

    # --- nodes ---------------------------------------------------------------------------------------------------

    @overload
    def node_at(self, span: Span) -> cst.CSTNode: ...

    @overload
    def node_at(self, span: Span, wanted: type[Node]) -> Node: ...

    def node_at(self, span: Span, wanted: type[cst.CSTNode] | None = None) -> cst.CSTNode:
        """The outermost node of exactly this range that is a `wanted`.

        By default the outermost expression, else the outermost statement, else what there is. Raises LookupError.
        """
        start, end = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        found = list(self._of_range(start, end))
        for kind in (wanted,) if wanted is not None else _BY_DEFAULT:
            if matches := [node for node in found if isinstance(node, kind)]:
                return matches[0]
        raise LookupError(f"{span.path}:{span.line}:{span.column}: no such node")

    def _of_range(self, start: int, end: int) -> Iterator[cst.CSTNode]:
        """The nodes of exactly this range, outermost first; subtrees that do not hold it are passed over."""
        number, ranges = 0, self._map
        while number < len(ranges.nodes):
            whole = ranges.starts[number], ranges.ends[number]
            if start < whole[0] or whole[1] < end:
                number = ranges.behind[number]
                continue
            node = ranges.nodes[number]
            number += 1
            if ranges.inner.get(node, whole) == (start, end):
                yield node
            if isinstance(node, cst.Call) and len(node.args) == 1 and _is_bare_generator(node.args[0].value):
                parentheses = ranges.whole(node.whitespace_after_func)[1], ranges.inner[node][1]
                if parentheses == (start, end):
                    yield node.args[0].value  # to which ast gives them

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node right above, or None for the module."""
        return self._map.parents[self._map.numbers[node]]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes above, from the nearest to the module."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def enclosing(self, node: cst.CSTNode, kind: type[Node] | tuple[type[Node], ...]) -> Node | None:
        """The nearest node above that is a `kind`."""
        return next((above for above in self.ancestors(node) if isinstance(above, kind)), None)

    def statement(self, node: cst.CSTNode) -> Statement:
        """The innermost statement that is or holds the node; a compound one where it lies in its head."""
        for above in (node, *self.ancestors(node)):
            elif_branch = isinstance(above, cst.If) and isinstance(self.parent(above), cst.If)
            if isinstance(above, cst.SimpleStatementLine | cst.BaseCompoundStatement) and not elif_branch:
                return above
        raise LookupError(f"{self.path}: a {type(node).__name__} outside of all statements")

    def holds(self, outer: cst.CSTNode, node: cst.CSTNode) -> bool:
        """Whether `node` is `outer` or lies in it."""
        return node is outer or any(above is outer for above in self.ancestors(node))

    @overload
    def walk(self, top: cst.CSTNode, kind: type[Node], /) -> Iterator[Node]: ...

    @overload
    def walk(self, top: cst.CSTNode, kind: type[Node], other: type[Other], /) -> Iterator[Node | Other]: ...

    @overload
    def walk(self, top: cst.CSTNode, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]: ...

    def walk(self, top: cst.CSTNode, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """The node and everything in it, in the order of the text; where `kinds` are given, what is just that."""
        first = self._map.numbers[top]
        nodes = self._map.nodes[first : self._map.behind[first]]
        if not kinds:
            return iter(nodes)
        return iter([node for node in nodes if node.__class__ in kinds])  # `isinstance` asks Python code of each

    # --- edits ---------------------------------------------------------------------------------------------------

    def rewrite(
        self,
        replacements: Mapping[cst.CSTNode, Replacement],
        above: Mapping[Statement, Sequence[str]] | None = None,
    ) -> tuple[Edit, ...]:
        """Edits that put each replacement in its node's place, and the lines of `above` directly above a statement.

        A string replaces the node's own range, a node or a FlattenSentinel all that the node owns, and REMOVE a
        statement: comments above it stay, a comment behind it moves to a line of its own (unless it speaks to a tool),
        and a block that would be empty gets `pass`. No replaced node may lie in another. Raises ValueError where one
        does, TypeError for REMOVE of anything but a simple statement, NotAnalysed.
        """
        gone = {node for node, new in replacements.items() if new is REMOVE}
        above = above or {}
        edits = [self._insertion(statement, lines) for statement, lines in above.items()]
        edits += self._removals(gone, frozenset(above))
        for node, new in replacements.items():
            if isinstance(new, str):
                start, end = self.range(node)
                edits.append(Edit(self.path, start, end, self.text[start:end], self.in_strings(node, new)))
            elif not isinstance(new, cst.RemovalSentinel):
                edits += self._regenerated(node, new)
        return in_order(edits)

    def in_strings(self, node: cst.CSTNode, code: str) -> str:
        """The code with quotes that do not end an f-string around the node, which Python before 3.12 would take so.

        Raises NotAnalysed where it needs both kinds.
        """
        for above in self.ancestors(node):
            if isinstance(above, cst.FormattedString):
                quote = above.end[0]
                other = "'" if quote == '"' else '"'
                if len(above.end) == 1 and quote in code:
                    if other in code:
                        raise NotAnalysed(f"the quotes of the text around {self.site(node)} are needed in it")
                    code = code.replace(quote, other)
        return code

    def insert(self, offset: int, text: str) -> Edit:
        """An edit that adds text at an offset."""
        return Edit(self.path, offset, offset, "", text)

    def replace(self, start: int, end: int, text: str) -> tuple[Edit, ...]:
        """The edit, trimmed of what old and new text share, that puts `text` in a range; none if nothing changes."""
        old = self.text[start:end]
        if old == text:
            return ()
        head = _shared(old, text)
        tail = _shared(old[head:][::-1], text[head:][::-1])
        return (
            Edit(
                self.path,
                start + head,
                end - tail,
                old[head : len(old) - tail],
                text[head : len(text) - tail],
            ),
        )

    def indent(self, statement: cst.CSTNode) -> str:
        """The white space that the lines of a statement's block begin with."""
        return "".join(self._map.levels[self._map.numbers[statement]])

    def start_of_line(self, statement: Statement) -> int:
        """The offset at which the statement's first line begins: behind its comment lines, before decorators."""
        if statement.leading_lines:
            return self.whole(statement.leading_lines[-1])[1]
        return self.whole(statement)[0]

    def before_comments(self, statement: Statement) -> int:
        """The offset behind the blank lines above a statement and before the comment lines there."""
        for line in statement.leading_lines:
            if line.comment is not None:
                return self.whole(line)[0]
        return self.start_of_line(statement)

    def _insertion(self, statement: Statement, lines: Sequence[str]) -> Edit:
        indent = self.indent(statement)
        text = "".join(f"{indent}{line}{self.newline}" for line in lines)
        return self.insert(self.start_of_line(statement), text)

    def _regenerated(self, node: cst.CSTNode, new: cst.CSTNode | cst.FlattenSentinel[cst.CSTNode]) -> Iterable[Edit]:
        state = CodegenState(self.module.default_indent, self.newline)
        for token in self._map.levels[self._map.numbers[node]]:
            state.increase_indent(token)
        for one in new if isinstance(new, cst.FlattenSentinel) else (new,):
            one._codegen(state)
        start, end = self.whole(node)
        code = "".join(state.tokens)
        if self._map.whole(node)[1] > end:
            code = code.removesuffix(self.newline)
        return self.replace(start, end, code)

    # --- removals ------------------------------------------------------------------------------------------------

    def _removals(self, gone: set[cst.CSTNode], filled: frozenset[Statement]) -> Iterator[Edit]:
        lines: dict[cst.SimpleStatementLine | cst.SimpleStatementSuite, list[cst.CSTNode]] = {}
        for node in gone:
            line = node if isinstance(node, cst.SimpleStatementLine) else self.parent(node)
            if not isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite):
                raise TypeError(f"{type(node).__name__} cannot be removed")
            lines.setdefault(line, []).extend(line.body if node is line else [node])
        whole: set[cst.CSTNode] = {line for line, small in lines.items() if len(set(small)) == len(line.body)}
        for line, small in lines.items():
            if line not in whole:
                yield from self._regenerated(line, _without(line, small))
            elif isinstance(line, cst.SimpleStatementSuite):
                yield from self.replace(self.range(line.body[0])[0], self.range(line.body[-1])[1], "pass")
            elif isinstance(line, cst.SimpleStatementLine):
                yield from self._line_removed(line, whole, filled)

    def _keeps_block(self, line: cst.SimpleStatementLine, gone: set[cst.CSTNode], filled: frozenset[Statement]) -> bool:
        """Whether the block would be empty without `line`: the first of several removed lines answers for them all."""
        block = self.parent(line)
        if not isinstance(block, cst.IndentedBlock) or block.body[0] is not line:
            return False
        return all(statement in gone and statement not in filled for statement in block.body)

    def _line_removed(
        self, line: cst.SimpleStatementLine, gone: set[cst.CSTNode], filled: frozenset[Statement]
    ) -> Iterable[Edit]:
        comment = line.trailing_whitespace.comment
        if self._keeps_block(line, gone, filled):
            return self.replace(self.range(line.body[0])[0], self.range(line.body[-1])[1], "pass")
        start, end = self.start_of_line(line), self.whole(line)[1]
        if comment is None or _PRAGMA.match(comment.value):
            behind = max(end, self._behind_blank_lines(line, gone))
            above = self._blank_lines_above(line)
            if above < start and _newlines(self.text[end:behind]) > _newlines(self.text[above:start]):
                return self.replace(above, end, "")  # the wider gap stays
            return self.replace(start, behind, "")
        return self.replace(start, end, self.indent(line) + self.text[self.range(comment)[0] : end])

    def _blank_lines_above(self, line: cst.SimpleStatementLine) -> int:
        """Where the blank lines right above a line begin; its own start where there are none."""
        start = self.start_of_line(line)
        for one in reversed(line.leading_lines):
            if one.comment is not None:
                break
            start = self.whole(one)[0]
        return start

    def _behind_blank_lines(self, line: cst.SimpleStatementLine, gone: set[cst.CSTNode]) -> int:
        """Where the next statement begins, if blank lines would otherwise open the block, or follow blank lines."""
        block = self.parent(line)
        body = list(block.body) if isinstance(block, cst.IndentedBlock | cst.Module) else [line]
        number = body.index(line)
        opens = number == 0 and (isinstance(block, cst.IndentedBlock) or not line.leading_lines)
        after_blank = bool(line.leading_lines) and line.leading_lines[-1].comment is None
        if number + 1 == len(body) or not (opens or after_blank):
            return 0
        following = self.statement(body[number + 1])
        return 0 if following in gone else self.before_comments(following)


class Files(Mapping[str, Syntax]):
    """The program's texts by path, each taken apart when it is first asked for.

    One conversion may ask for so many of them: what goes through more files than that is no diff that anybody reads,
    and looking for it would take longer than everything else.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.asked: set[str] = set()  # paths, also of files that could not be taken apart
        self._now: set[str] = set()  # those that the present conversion asked for
        self._parsed: dict[str, Syntax] = {}  # the latest asked for last
        self._with_word: dict[str, list[tuple[str, str]]] = {}

    def begin(self) -> None:
        """A conversion begins: nodes of earlier ones are not asked for any more."""
        self._now.clear()
        for path in list(self._parsed)[:-_OPEN]:
            del self._parsed[path]

    def with_word(self, word: str) -> list[tuple[str, str]]:
        """Paths and texts of the files in which a word stands by itself, in the order of the program."""
        found = self._with_word.get(word)
        if found is None:
            found = [(path, text) for path, text in self.texts.items() if _stands_in(word, text)]
            self._with_word[word] = found
        return found

    @cached_property
    def bases(self) -> dict[str, set[str]]:
        """The names in the head of each class of the program, by class name; not all of them are bases."""
        found: dict[str, set[str]] = {}
        for head in chain.from_iterable(self._heads.values()):
            found.setdefault(head[1], set()).update(_WORD.findall(head[2] or ""))
        return found

    def defining(self, names: Set[str]) -> list[str]:
        """The paths of the files with classes of these names, in the order of the program."""
        return [path for path, heads in self._heads.items() if any(head[1] in names for head in heads)] if names else []

    @cached_property
    def _heads(self) -> dict[str, list[re.Match[str]]]:
        """The heads of classes in each file."""
        return {path: list(_class_heads(text)) for path, text in self.texts.items() if "class " in text}

    def __getitem__(self, path: str) -> Syntax:
        """Raises KeyError for a path that is not of the program, NotAnalysed as Syntax does, or for a file too many."""
        if path not in self._now:
            if len(self._now) == _OPEN:
                raise NotAnalysed(f"more than {_OPEN} files would have to be looked at")
            self._now.add(path)
            self.asked.add(path)
            known = self._parsed.pop(path, None)
            self._parsed[path] = known or Syntax(path, self.texts[path])
        return self._parsed[path]

    @property
    def has_heads(self) -> bool:
        """Whether anybody looked at the heads of all classes."""
        return "_heads" in vars(self)

    def words(self) -> Iterator[str]:
        """The words that were looked for in all files."""
        yield from self._with_word

    def __call__(self, path: str) -> Syntax:
        """The same as `self[path]`."""
        return self[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


def _class_heads(text: str) -> Iterator[re.Match[str]]:
    """What looks like a class statement: the word is looked for first, which is faster than any pattern."""
    at = text.find(_CLASS_WORD)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if not text[start:at].strip(" \t") and (head := _CLASS.match(text, at)):
            yield head
        at = text.find(_CLASS_WORD, at + 1)


def _stands_in(word: str, text: str) -> bool:
    """Whether a word stands by itself in a text: to find mere text is a hundred times faster than a pattern."""
    at = text.find(word)
    while at >= 0:
        behind = at + len(word)
        if not (_in_word(text[at - 1 : at]) or _in_word(text[behind : behind + 1])):
            return True
        at = text.find(word, at + 1)
    return False


def _in_word(character: str) -> bool:
    return character == "_" or character.isalnum()


def in_order(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits by path and offset, each once. Raises ValueError where two overlap."""
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.path, edit.start, edit.end))
    for one, other in pairwise(ordered):
        if one.path == other.path and one.end > other.start:
            raise ValueError(f"{one.path}: two edits overlap at offset {other.start}")
    return tuple(ordered)


def _newlines(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))


def _shared(one: str, other: str) -> int:
    """The number of characters that both texts begin with."""
    pairs = zip(one, other, strict=False)
    return next((count for count, (here, there) in enumerate(pairs) if here != there), min(len(one), len(other)))


def roomy(call: Callable[[], T]) -> T:
    """The result of `call`, run with a stack for deeply nested code. Raises what it raises."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    size, limit = threading.stack_size(_STACK), sys.getrecursionlimit()
    thread = threading.Thread(target=run)
    try:
        sys.setrecursionlimit(max(limit, _DEPTH))
        thread.start()
        thread.join()
    except RuntimeError:  # no memory for such a stack: then with the one there is
        sys.setrecursionlimit(limit)
        run()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    if errors:
        raise errors[0]
    return results[0]


# --- ranges ------------------------------------------------------------------------------------------------------


def _parse(text: str, lead: int) -> tuple[cst.Module, _Ranges]:
    module = cst.parse_module(text)
    ranges = _Ranges(module, lead)
    module._codegen(ranges)
    return module, ranges


class _Ranges(CodegenState):
    """Records where each node begins and ends, and what it lies in, while LibCST writes the code out again."""

    def __init__(self, module: cst.Module, lead: int) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.inner: dict[cst.CSTNode, tuple[int, int]] = {}
        self.nodes: list[cst.CSTNode] = []  # each before those in it; the lists below go by the same numbers
        self.numbers: dict[cst.CSTNode, int] = {}
        self.parents: list[cst.CSTNode | None] = []
        self.levels: list[tuple[str, ...]] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.behind: list[int] = []  # the number of the next node that is not in it
        self._at = lead
        self._level: tuple[str, ...] = ()
        self._open: list[int] = []

    def whole(self, node: cst.CSTNode) -> tuple[int, int]:
        number = self.numbers[node]
        return self.starts[number], self.ends[number]

    def increase_indent(self, value: str) -> None:
        super().increase_indent(value)
        self._level = (*self._level, value)

    def decrease_indent(self) -> None:
        super().decrease_indent()
        self._level = self._level[:-1]

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self._at += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        number = len(self.nodes)
        self.parents.append(self.nodes[self._open[-1]] if number else None)
        self.levels.append(self._level)
        self.starts.append(self._at)
        self.ends.append(0)
        self.behind.append(0)
        self.nodes.append(node)
        self.numbers[node] = number
        self._open.append(number)

    def after_codegen(self, node: cst.CSTNode) -> None:
        number = self._open.pop()
        self.ends[number] = self._at
        self.behind[number] = len(self.nodes)
        if node.__class__ in _PARENTHESISED and node.lpar:
            # Their parentheses are their own, says ast.
            self.inner[node] = self.whole(node.lpar[-1])[0], self.whole(node.rpar[0])[1]

    @contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        start = self._at
        yield
        end = self._at
        if start_node is not None:
            start = (self.inner.get(start_node) or self.whole(start_node))[0]
        if end_node is not None:
            end = (self.inner.get(end_node) or self.whole(end_node))[1]
        self.inner[node] = start, end


def _is_bare_generator(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.GeneratorExp) and not node.lpar


def _without(
    line: cst.SimpleStatementLine | cst.SimpleStatementSuite, small: Sequence[cst.CSTNode]
) -> cst.SimpleStatementLine | cst.SimpleStatementSuite:
    *kept, last = (one for one in line.body if one not in small)
    return line.with_changes(body=[*kept, last.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
