"""Model files (`*.toml`) to one table of what frameworks and libraries mean.

The vocabulary is small and closed; it is documented in `docs/models.md`. Nothing here knows a framework: names of
libraries occur in the data only. A wrong key, value or type is a `UserError` that names file, line and the nearest
right one.

Patterns are dotted names with `{a,b}` alternatives and at most one `*` component, as in `gradio.*.click`.
"""

from __future__ import annotations

import difflib
import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from leaklint.errors import UserError


class EntryModel(Struct, frozen=True):
    """How a function becomes something a request (or start-up) runs."""

    decorator: tuple[str, ...] = ()  # the function is decorated with it, called or not
    call: tuple[str, ...] = ()  # the function is passed to it
    argument: int = 0  # position of the function in `call`
    keyword: tuple[str, ...] = ()  # or its keyword, or several
    base: tuple[str, ...] = ()  # methods of subclasses
    settings: tuple[str, ...] = ()  # names of classes whose attribute `keyword` holds the functions
    methods: tuple[str, ...] = ()  # their names; `*` for all public ones
    shape: tuple[str, ...] = ()  # parameter names by which such a function is known, `self` aside
    function: tuple[str, ...] = ()  # names that a function of that shape must have; any when empty
    script: tuple[str, ...] = ()  # packages: a module that imports one and that no module imports is run per session
    inputs: str = ""  # the keyword of a list of what the function is given; by position, it follows the function
    outputs: str = ""  # and of a list of what takes the values that it gives back; by position, it follows `inputs`
    exact: tuple[str, ...] = ()  # of `inputs`: keywords that rest on what is in these lists
    label: str = ""  # "FastAPI route {name} {0}": {name} is the last part, {0} the first argument
    phase: str = "request"  # or "setup": start-up and shutdown hooks
    concurrency: str = "auto"  # "auto": a loop for coroutines, else a pool; or "loop", "pool", "task"
    turns: tuple[str, ...] = ()  # one request of a function at a time, unless a call has one of these keywords
    returned: bool = False  # what the function gives back is the handler: middleware factories
    yields: str = ""  # what it yields or returns by name are attributes of this holder of each request
    puts: str = ""  # what it puts into its first parameter are items of this holder of each request
    makes: str = ""  # the class of what a decorated name becomes: "celery.Task"
    bound: str = ""  # of `makes`: the keyword and value with which that object is the first parameter: "bind=True"
    subclass: str = ""  # of `bound`: the keyword that names the class that the object is of instead: "base"
    instance: str = "process"  # of `base`: "request" when an instance is made for each request
    unless: str = ""  # of `instance = "request"`: the class attribute and value with which it is one for the process
    context: str = ""  # "kept": the thread takes the next request in the context that this one leaves
    every: bool = False  # runs with every request: middleware, hooks
    parameters: str = "request"  # or "none": the parameters carry no request data
    types: tuple[str, ...] = ()  # classes of the parameters in order, `self` aside, where nothing says otherwise
    certain: bool = True  # False: a guess by shape


class CallModel(Struct, frozen=True):
    """What a call of a library function or method does and gives."""

    name: tuple[str, ...]
    gives: str = ""  # see GIVES
    type: str = ""  # of `gives = "instance"`
    concept: str = ""  # of `gives = "request"`: what it identifies
    why: str = ""  # of colliding ids: "a clock"
    until_gone: bool = False  # of colliding ids: unique for as long as the argument lives
    argument: int = 0  # which argument `gives = "argument"` gives back
    runs: int = -1  # position of a function argument that is run
    runs_keyword: str = ""
    arguments: str = ""  # "rest": the following arguments go to it; or the keyword of an argument tuple
    border: str = ""  # where it runs: "thread", "process", "task"
    context: bool = True  # the caller's ContextVars follow
    context_keyword: str = ""  # of `context = false`: passes a context along
    inherits: str = ""  # of `context = false`: the flag of the interpreter with which a context follows all the same
    enters: bool = False  # of `runs`: in the context that it is called on
    adds: int = -1  # position of an argument that is kept in the receiver as an item
    key: int = -1  # position of the key it is kept under
    reads: bool = False  # gives an item of the receiver
    removes: bool = False  # takes items out of the receiver
    sets: str = ""  # attribute of the receiver that keeps argument 0
    factory: str = ""  # the keyword of a function that makes the value: `default_factory`
    inject: str = ""  # "argument": as a parameter's default or annotation, the value is what this argument returns
    field: str = ""  # of `gives = "dataclass"`: the function that makes a field with a factory
    memo: bool = False  # as a decorator, keeps the first result
    keyed: str = ""  # of `memo`: by the "path" or "url" of the request, or by "arguments" other than the request
    query: str = ""  # of `keyed = "path"`: the keyword and value that make it the whole address: "query_string=True"
    unkeyed: str = ""  # of `memo`: how the names of parameters begin that are left out of the key
    apart: str = ""  # of `memo`: the keyword and value that keep results for each session: "scope=session"
    log: bool = False  # only writes log lines
    log_context: bool = False  # from then on, log lines have ids that their calls do not name
    logs_to: int = -1  # position of the file that log lines are written to
    outbound: str = ""  # sends a request to another program: the keyword that takes headers or metadata
    delivers: tuple[str, ...] = ()  # to a worker, the task that it is called on, with its own arguments ("*") or these
    atomic: bool = False  # has the store that it asks see to it that no two do the same at once
    atomic_keyword: str = ""  # only with this keyword
    process: str = ""  # changes something that the process has once: "the working directory"
    race: bool = False  # of `process`: disturbs other requests, whatever it is changed to
    writes_file: tuple[str, ...] = ()  # names the file it writes: a position, a keyword or `receiver`, the first given
    path: bool = False  # gives a path that is made of its arguments (and receiver) and of nothing else
    file_mode: tuple[str, ...] = ()  # of `writes_file`: says whether it writes at all, as `open` takes it


class TypeModel(Struct, frozen=True):
    """What kind of holder the instances of a class are."""

    name: tuple[str, ...]
    holds: str = ""  # "request": its attributes are request data; "process", "isolated"
    thread: bool = False  # of "isolated": for each thread, and not for each task of an event loop
    concurrent: bool = False  # made for sharing: queues, locks
    consumed: bool = False  # items are taken out once
    fills: bool = False  # a mapping that keeps what its first argument makes under a key that is read and absent
    dataclass: bool = False  # subclasses get an __init__ from their annotations
    field: str = ""  # of `dataclass`: the function that makes a field with a factory
    conversation: bool = False  # keeps a history per instance
    reads: tuple[str, ...] = ()  # methods that look up what other processes see as well
    writes: tuple[str, ...] = ()  # and methods that change it
    documents: bool = False  # of `reads`, `writes` and `inserts`: they take filters and documents as mappings
    parts: str = ""  # the class of what any attribute or item of it is that no row speaks of
    row: bool = False  # each session of a database loads its own objects of such classes
    inserts: tuple[str, ...] = ()  # and methods that put something new there: a value under a key, a row
    lock: str = ""  # whom it keeps out: other tasks of its event loop, other threads, or everybody on the machine
    log_context: bool = False  # gives ids to log lines that their calls do not name
    client: bool = False  # sends what its attributes say (headers, credentials, base URL) with every later call
    cookies: bool = False  # keeps the cookies that servers set, and sends them with every later call
    database: str = ""  # serves one request at a time: "session", "connection", "cursor"
    ends: tuple[str, ...] = ()  # of `database`: methods that make lasting what was written
    leaves: tuple[str, ...] = ()  # of `database`: methods that only finish what others have begun
    unended: str = ""  # of `database`: the keyword and value with which nothing says where its transactions end


class AttributeModel(Struct, frozen=True):
    """What an attribute or module-level name of a library is."""

    name: tuple[str, ...]
    gives: str = ""  # "request": request data; "isolated"; "instance"; "neutral"; "address"
    type: str = ""  # of `gives = "instance"`: one for the whole process
    concept: str = ""
    process: str = ""  # the process has it once, and setting it changes this: "standard output"
    race: bool = False  # of `process`: setting it disturbs other requests, whatever the value


class HomeModel(Struct, frozen=True):
    """Where per-request or per-session state belongs, for help texts and fixes."""

    scope: str  # "request" or "session"
    use: str  # "`request.state`"
    id: str = ""  # expression that identifies the session: "request.session_hash"
    type: str = ""  # of the parameter that offers it: "gradio.Request"
    given: bool = False  # whether a handler gets it in any parameter that is annotated with `type`
    shared: str = ""  # of `use` on an object of `type`: what is taken for it and is everybody's: "request.app.state"
    once: str = ""  # the session's own id, by its full dotted name; `{name}` and `{fresh}` are filled in
    reads: str = ""  # an expression that reads what is kept there, by full dotted name, with `{name}` and `{default}`
    sets: str = ""  # a statement that keeps something there, likewise, with `{name}` and `{value}`
    called: str = ""  # what programs usually call its package: "st"
    missing: str = ""  # an expression that says whether nothing is kept there yet, likewise, with `{name}`
    taken: tuple[str, ...] = ()  # names under which the framework itself keeps something there
    component: str = ""  # the class of what keeps it among the `inputs` and `outputs` of entries: "gradio.State"
    page: str = ""  # of `component`: the class in whose `with` block one is made: "gradio.Blocks"


class Model(Struct, frozen=True):
    """One model file."""

    name: str
    imports: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    alias: Mapping[str, str] = field(default_factory=dict)
    entry: tuple[EntryModel, ...] = ()
    call: tuple[CallModel, ...] = ()
    type: tuple[TypeModel, ...] = ()
    attribute: tuple[AttributeModel, ...] = ()
    home: tuple[HomeModel, ...] = ()
    concept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names that mean an id, by concept
    sent: tuple[str, ...] = ()  # ids that every call to another program has to carry, by the configuration
    one_process: bool = False  # its servers run in one process, however many clients there are
    test_runners: tuple[str, ...] = ()  # packages whose import makes a module a test
    test_folders: tuple[str, ...] = ()  # packages in which everything is there for tests
    test_settings: tuple[str, ...] = ()  # words in the names of settings under which a program is tested
    work: tuple[str, ...] = ()  # how names end that identify one piece of work, which belongs to somebody
    administrators: tuple[str, ...] = ()  # words in the names of what lets nobody but administrators in
    figures: tuple[str, ...] = ()  # words in the names of calls that only count or report what happens
    unique: tuple[str, ...] = ()  # what says in a class of rows that no two have the same: keywords, calls, attributes
    table: tuple[str, ...] = ()  # attributes of a class of rows that name its table
    undoing: tuple[str, ...] = ()  # names of functions that take a migration back
    dropping: tuple[str, ...] = ()  # names of calls of a migration that take a column out of a table
    single: tuple[str, ...] = ()  # names of calls at the end of a look-up that fail where there are several rows
    versioned: tuple[str, ...] = ()  # what says in a class of rows that a row which was changed meanwhile is refused
    computed: tuple[str, ...] = ()  # keys of an update under which the store itself computes the new value
    atomic_names: tuple[str, ...] = ()  # how programs call their own functions that see to the same
    atomic_words: tuple[str, ...] = ()  # of a query: the store itself sees to it that two do not act at once


GIVES = (
    "fresh-id",  # unguessable and unique
    "colliding-id",  # repeats or can be foreseen: clocks, hashes, small ranges
    "neutral",  # says nothing about its arguments
    "argument",  # one of its arguments
    "instance",  # a new object of `type`
    "request",  # request data
    "ambient",  # whatever the surrounding context holds
    "isolated",  # an object that only this request or session sees
    "property",
    "staticmethod",
    "classmethod",
    "contextmanager",
    "dataclass",
    "partial",
    "elements",  # the items of its arguments
    "entered",  # what `with` gives of its first argument
    "receiver",  # the object it is called on: `ui.input().props("dense").classes("wide")`
    "provider",  # an object that gives, when called, the one thing that its first argument makes of the rest
    "result",  # what calling its first argument gives: lazy proxies
)
_CLOSED = {
    ("entry", "phase"): ("request", "setup"),
    ("entry", "concurrency"): ("auto", "loop", "pool", "task"),
    ("entry", "instance"): ("process", "request"),
    ("entry", "context"): ("", "kept"),
    ("entry", "parameters"): ("request", "none"),
    ("call", "gives"): ("", *GIVES),
    ("call", "border"): ("", "thread", "process", "task"),
    ("call", "keyed"): ("", "path", "url", "arguments"),
    ("type", "holds"): ("", "request", "process", "isolated"),
    ("type", "lock"): ("", "task", "thread", "machine"),
    ("type", "database"): ("", "session", "connection", "cursor"),
    ("attribute", "gives"): ("", "request", "isolated", "instance", "neutral", "address"),
    ("home", "scope"): ("request", "session"),
}
_TABLES: dict[str, type[Any]] = {
    "entry": EntryModel,
    "call": CallModel,
    "type": TypeModel,
    "attribute": AttributeModel,
    "home": HomeModel,
}

_LISTS = (
    "imports",
    "requires",
    "test_runners",
    "test_folders",
    "test_settings",
    "work",
    "administrators",
    "figures",
    "unique",
    "table",
    "undoing",
    "dropping",
    "single",
    "versioned",
    "computed",
    "atomic_names",
    "atomic_words",
)

T = TypeVar("T")
Row = TypeVar("Row", bound=Struct)


# --- loading --------------------------------------------------------------------------------------------------------


def parse(text: str, path: str) -> Model:
    """One model file.

    Raises:
        UserError: the file is no TOML, or holds a key or value outside the vocabulary.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}", "model files are TOML; see docs/models.md") from None
    known = Model.__struct_fields__
    for key, value in data.items():
        if key not in known:
            raise _wrong(path, text, key, known)
        if key in _TABLES:
            _expect(path, text, key, value, "an array of tables", _is_tables(value))
        elif key in ("alias", "concept"):
            _expect(path, text, key, value, "a table", isinstance(value, dict))
            for name, given in value.items():
                wanted, right = _KINDS[str], isinstance(given, str)
                if key == "concept":
                    wanted, right = "an array of strings", _is_strings(given)
                _expect(path, text, name, given, wanted, right)
        elif key in _LISTS:
            _expect(path, text, key, value, "an array of strings", _is_strings(value))
        else:
            kind = bool if key == "one_process" else str
            _expect(path, text, key, value, _KINDS[kind], isinstance(value, kind))
    rows: dict[str, Any] = {"name": data.get("name", Path(path).stem), "alias": data.get("alias", {})}
    rows["one_process"] = data.get("one_process", False)
    rows["concept"] = {concept: tuple(names) for concept, names in data.get("concept", {}).items()}
    for key in _LISTS:
        rows[key] = tuple(data.get(key, ()))
    for table, kind in _TABLES.items():
        given = data.get(table, ())
        rows[table] = tuple([_row(kind, table, row, path, text, number) for number, row in enumerate(given)])
    return Model(**rows)


def _start(text: str, table: str, wanted: int) -> int:
    """The line, from 1, at which the table of that number in an array begins; after the last, the last one's."""
    line, seen = 1, 0
    for number, row in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[\[\s*\W?{table}\W?\s*\]\]", row):
            if seen > wanted:
                break
            line, seen = number, seen + 1
    return line


@cache
def _defaults(kind: type[Struct]) -> dict[str, object]:
    """The keys of a table, with what they are where a row does not say; None for those that a row must have."""
    names, given = kind.__struct_fields__, kind.__struct_defaults__
    return {**dict.fromkeys(names), **dict(zip(reversed(names), reversed(given), strict=False))}


def _row(kind: type[Row], table: str, row: Mapping[str, Any], path: str, text: str, number: int) -> Row:
    known = _defaults(kind)
    values: dict[str, Any] = {}
    for key, value in row.items():
        if key not in known:
            raise _wrong(path, text, key, known, _start(text, table, number))
        default = known[key]
        wanted, right = "", True
        if key in _NAMES:
            names = [value] if isinstance(value, str) else value
            wanted, right = "a string or an array of strings", _is_strings(names)
        elif isinstance(default, tuple):
            wanted, right = "an array of strings", _is_strings(value)
        elif default is not None:
            wanted, right = _KINDS[type(default)], type(value) is type(default)
        if not right:
            _expect(path, text, key, value, wanted, right, _start(text, table, number))
        if key in _NAMES:
            value = tuple(itertools.chain.from_iterable(expand(name) for name in names))
        elif isinstance(default, tuple):
            value = tuple(value)
        allowed = _CLOSED.get((table, key))
        if allowed is not None and value not in allowed:
            raise _wrong(path, text, str(value), allowed, _start(text, table, number))
        values[key] = value
    try:
        return kind(**values)
    except TypeError as error:
        raise UserError(f"{path}: [[{table}]] {error}", "see docs/models.md") from None


_NAMES = ("decorator", "call", "base", "name", "keyword", "settings")  # one or several, with alternatives
_KINDS = {str: "a string", bool: "`true` or `false`", int: "a whole number"}


def _expect(path: str, text: str, key: str, value: object, wanted: str, right: bool, start: int = 1) -> None:
    if not right:
        raise UserError(
            f"{path}:{_line(text, key, start)}: `{key}` must be {wanted}, not {value!r}", "see docs/models.md"
        )


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _line(text: str, word: str, start: int) -> int:
    """The first line from `start` that has the word; `start` when none has."""
    rows = enumerate(text.splitlines(), 1)
    return next((n for n, row in rows if n >= start and re.search(rf"\b{re.escape(word)}\b", row)), start)


def _wrong(path: str, text: str, word: str, known: Iterable[str], start: int = 1) -> UserError:
    line = _line(text, word, start)
    near = difflib.get_close_matches(word, [k for k in known if k], 1)
    hint = f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(k for k in known if k)}"
    return UserError(f"{path}:{line}: unknown `{word}`", hint)


_BRACES = re.compile(r"\{([^{}]*)\}")


def expand(pattern: str) -> Iterator[str]:
    """`a.{b,c}` to `a.b`, `a.c`."""
    match = _BRACES.search(pattern) if "{" in pattern else None
    if match is None:
        yield pattern
        return
    for choice in match.group(1).split(","):
        yield from expand(pattern[: match.start()] + choice.strip() + pattern[match.end() :])


class _File(Struct, frozen=True):
    """A shipped file of which only the head is read: whether it is wanted at all."""

    text: str
    imports: frozenset[str]
    requires: tuple[str, ...]


@lru_cache(maxsize=1)
def _files() -> dict[str, _File]:
    folder = resources.files(__package__)
    found: dict[str, _File] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            text = file.read_text("utf-8")
            head = tomllib.loads(re.split(r"^\[", text, maxsplit=1, flags=re.MULTILINE)[0])
            imports, requires = frozenset(head.get("imports", ())), tuple(head.get("requires", ()))
            found[file.name.removesuffix(".toml")] = _File(text, imports, requires)
    return found


@cache
def load(name: str) -> Model:
    """A model that comes with leaklint, by file name without ending."""
    return parse(_files()[name].text, f"{name}.toml")


def shipped() -> dict[str, Model]:
    """All models that come with leaklint."""
    return {name: load(name) for name in _files()}


def select(imported: Iterable[str], own: Iterable[Model] = ()) -> Models:
    """The models that matter to a project.

    Args:
        imported: top-level names of the packages the project imports.
        own: models of the user, always loaded.
    """
    names = set(imported)
    files = _files()
    wanted = {name for name, file in files.items() if not file.imports or names & file.imports}
    while more := {r for name in wanted for r in files[name].requires} - wanted:
        wanted |= more
    return Models((*(load(name) for name in sorted(wanted)), *own))


# --- looking up -----------------------------------------------------------------------------------------------------


class _Patterns(dict[str, list[T]]):
    """Rows by dotted name; `*` stands for one or more components, for a part of the last one, or for any start."""

    def __init__(self) -> None:
        self.wild: dict[str, list[tuple[str, T]]] = {}
        self.partial: list[tuple[str, str, T]] = []  # start of the name, end of the name, row
        self._found: dict[str, list[T]] = {}

    def add(self, pattern: str, row: T) -> None:
        if "*" not in pattern:
            self.setdefault(pattern, []).append(row)
            return
        prefix, _, last = pattern.partition("*")
        if (not prefix.endswith(".") and prefix) or (last and not last.startswith(".")):
            self.partial.append((prefix, last, row))
            return
        self.wild.setdefault(last.rpartition(".")[2], []).append((prefix, row))

    def add_all(self, patterns: Iterable[str], row: T) -> None:
        for pattern in patterns:
            self.add(pattern, row)

    def find(self, name: str) -> list[T]:
        """The rows about a name, the most exact one last."""
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._find(name)
        return found

    def _find(self, name: str) -> list[T]:
        owner, _, last = name.rpartition(".")
        wild = (row for prefix, row in self.wild.get(last, ()) if name.startswith(prefix) and len(owner) >= len(prefix))
        partial = (
            row
            for start, end, row in self.partial
            if name.startswith(start) and name.endswith(end)
            if not start or "." not in name[len(start) : len(name) - len(end)]
        )
        return [*partial, *wild, *self.get(name, ())]  # the most exact one comes last, and wins


def _plain(name: str) -> str:
    """`requestId`, `request-id` and `REQUEST_ID` as `request_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").strip("_")


class Models:
    """All loaded models, looked up by canonical dotted name."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models = tuple(models)
        self.names = tuple(m.name for m in self.models)
        self.aliases: dict[str, str] = {}
        self._decorators: _Patterns[EntryModel] = _Patterns()
        self._entry_calls: _Patterns[EntryModel] = _Patterns()
        self._bases: _Patterns[EntryModel] = _Patterns()
        self._calls: _Patterns[CallModel] = _Patterns()
        self._types: _Patterns[TypeModel] = _Patterns()
        self._attributes: _Patterns[AttributeModel] = _Patterns()
        self.homes: list[HomeModel] = []
        self.concepts: dict[str, str] = {}  # id name -> concept
        self.modelled: set[str] = set()
        self.test_runners: set[str] = set()
        self.test_folders: set[str] = set()
        self.test_settings: set[str] = set()
        self.shapes: dict[tuple[str, ...], list[EntryModel]] = {}
        self.settings: dict[str, list[EntryModel]] = {}  # by the name of a class
        self.scripts: dict[str, EntryModel] = {}
        self.decorating: set[str] = set()  # last names of decorators that make entry points
        self._registering: _Patterns[EntryModel] = _Patterns()  # and of calls that do
        self.applications: set[str] = set()  # classes whose methods register handlers
        self.handed: set[str] = set()  # classes of the one object that requests get at by an attribute or a name
        self._spoken_of: set[str] = set()  # all names in rows, and what they are parts of
        self.atomic: set[str] = set()  # last names of calls that have a store keep others out
        self.atomic_keywords: set[str] = set()
        self.administrators: set[str] = set()
        self.figures: set[str] = set()
        self.unique: set[str] = set()
        self.tables: set[str] = set()
        self.undoing: set[str] = set()
        self.dropping: set[str] = set()
        self.single: set[str] = set()
        self.versioned: set[str] = set()
        self.computed: set[str] = set()
        self.atomic_words: tuple[str, ...] = ()
        self.work: tuple[str, ...] = ()
        self.sent: tuple[str, ...] = ()  # ids that every call to another program has to carry
        self.writing: dict[str, CallModel] = {}  # calls that write the file they name, by last name
        for model in self.models:
            self._add(model)
        # What is asked of every call and attribute: answers are remembered by what is no Python code itself.
        self.canonical = cache(self._canonical)
        self.decorator = cache(self._decorators.find)
        self.registration = cache(self._entry_calls.find)
        self.call = cache(self._call)
        self.type = cache(self._type)
        self.attribute = cache(self._attribute)
        self.concept = cache(self._concept)

    def _add(self, model: Model) -> None:
        self.aliases.update(model.alias)
        self.homes.extend(model.home)
        for concept, names in model.concept.items():
            self.concepts.update(dict.fromkeys(names, concept))
        self.modelled.update(model.imports)
        self.test_runners.update(model.test_runners)
        self.test_folders.update(model.test_folders)
        self.test_settings.update(model.test_settings)
        self.administrators.update(model.administrators)
        self.figures.update(model.figures)
        self.unique.update(model.unique)
        self.tables.update(model.table)
        self.undoing.update(model.undoing)
        self.dropping.update(model.dropping)
        self.single.update(model.single)
        self.versioned.update(model.versioned)
        self.computed.update(model.computed)
        self.atomic.update(model.atomic_names)
        self.atomic_words += model.atomic_words
        self.work += model.work
        self.sent += model.sent
        for name in model.sent:
            if not self._concept(name):
                self.concepts[_plain(name).removeprefix("x_")] = "id"
        for entry in model.entry:
            self._decorators.add_all(entry.decorator, entry)
            self._entry_calls.add_all(entry.call, entry)
            self._bases.add_all(entry.base, entry)
            if entry.shape:
                self.shapes.setdefault(entry.shape, []).append(entry)
            for name in entry.settings:
                self.settings.setdefault(name, []).append(entry)
            for package in entry.script:
                self.scripts[package] = entry
            owners = (p.rpartition(".")[0] for p in (*entry.decorator, *entry.call))
            self.applications.update(o for o in owners if o.rpartition(".")[2][:1].isupper())
            self.decorating.update(p.rpartition(".")[2] for p in entry.decorator)
            for last in {p.rpartition(".")[2] for p in entry.call}:
                self._registering.add(last, entry)
        for call in model.call:
            self.atomic_keywords.update((call.atomic_keyword,) if call.atomic_keyword else ())
            for pattern in call.name:
                self._calls.add(pattern, call)
                if call.atomic:
                    self.atomic.add(pattern.rpartition(".")[2])
                if call.writes_file:
                    self.writing[pattern.rpartition(".")[2]] = call
        for kind in model.type:
            for pattern in kind.name:
                self._types.add(pattern, kind)
        self.handed.update(a.type for a in model.attribute if a.gives == "instance" and a.type)
        for attribute in model.attribute:
            for pattern in attribute.name:
                self._attributes.add(pattern, attribute)

    def _canonical(self, name: str) -> str:
        """The name under which models know it; aliases apply to any leading part."""
        alias = self.aliases
        if name in alias:
            return alias[name]
        head, dot, tail = name.rpartition(".")
        if dot and head in alias:
            return f"{alias[head]}.{tail}"
        return name

    def speak_of(self, name: str) -> bool:
        """Whether some row is about this name or a part of it."""
        if not self._spoken_of:
            tables = (self._decorators, self._entry_calls, self._bases, self._calls, self._types, self._attributes)
            for row in (name for table in tables for name in (*table, *self.aliases)):
                self._spoken_of.update(itertools.accumulate(row.split("."), "{}.{}".format))
        return name in self._spoken_of

    def registering(self, last: str) -> list[EntryModel]:
        """Entry points made by passing a function to something with this last name."""
        return self._registering.find(last)

    def base(self, name: str) -> list[EntryModel]:
        """Entry points that subclasses of `name` have."""
        return self._bases.find(name)

    def _call(self, name: str) -> CallModel | None:
        """What calling `name` does; the last loaded row wins."""
        rows = self._calls.find(name)
        return rows[-1] if rows else None

    def _type(self, name: str) -> TypeModel | None:
        """What kind of holder instances of `name` are."""
        rows = self._types.find(name)
        return rows[-1] if rows else None

    def _concept(self, name: str) -> str:
        """The concept (`session`, `user`, `request`, ...) that an identifier names, or the empty string."""
        plain = _plain(name)
        while plain:
            if plain in self.concepts:
                return self.concepts[plain]
            _, _, plain = plain.partition("_")  # `new_session_id` is a session id
        return ""

    def serves_alone(self, entry: object) -> bool:
        """Whether what has such an entry runs in one process only."""
        return any(m.one_process and any(e is entry for e in m.entry) for m in self.models)

    def homes_of(self, entry: EntryModel) -> tuple[HomeModel, ...]:
        """Where state belongs for code that runs by such an entry: as its own model says, else those it requires."""
        waiting = [m for m in self.models if any(e is entry for e in m.entry)]
        for model in waiting:  # grows while it is walked
            if model.home:
                return model.home
            waiting += [load(name) for name in model.requires]
        return ()

    def _attribute(self, name: str) -> AttributeModel | None:
        """What the attribute or module-level `name` is."""
        rows = self._attributes.find(name)
        return rows[-1] if rows else None
