"""What the project stage decides and a rule judges: suspects, with every fact a rule or a codemod may need.

Plain frozen data: no syntax, no judgement, no wording. Spans are those of `leaklint.finding`.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from msgspec import Struct

from leaklint.finding import Span
from leaklint.models import HomeModel

_ANY_ITEM = "[*]"  # in `Place.path`: an item under a key that is no constant


class Access(Enum):
    """What a piece of code does to a place."""

    READ = "read"
    STORE = "store"  # `x.a = v`, `x["k"] = v`, `setattr(x, "a", v)`
    MUTATE = "mutate"  # `x.append(v)`, `x.update(v)`
    DELETE = "delete"  # `del x.a`, `x.pop("k", None)`, `x.clear()`
    ESCAPE = "escape"  # passed on, returned or stored as a value: later uses are not seen by name


class PlaceKind(Enum):
    """Where a value is kept."""

    INSTANCE = "instance"  # an attribute of an object
    CLASS = "class"  # an attribute of a class
    GLOBAL = "global"  # a module-level name
    CLOSURE = "closure"  # a variable of an enclosing function that outlives the call
    DEFAULT = "default"  # the default of a parameter, which all calls of the function share


class Kept(Enum):
    """What keeps a value. Each is judged by one rule, so a write is reported once."""

    ATTRIBUTE = "attribute"  # of a shared object, also an item under a constant key of one
    ITEM = "item"  # of a shared list, dict or set
    NAME = "name"  # at module level
    CLASS = "class"  # an attribute of a class, or something in it
    VARIABLE = "variable"  # of an enclosing function, or something in it
    LIBRARY = "library"  # a name of a library, which the process has once
    CLIENT = "client"  # what a library's client sends along with every later call
    DEFAULT = "default"  # the default of a parameter, or something in it


class Strength(Enum):
    """How personal request data is."""

    IDENTITY = "identity"  # user, session, tenant, credential, socket or callback of a client
    CONTENT = "content"


class Use(Struct, frozen=True):
    """One occurrence of a slot in the program."""

    access: Access
    span: Span  # of the place expression: `self._holder`, not of the statement
    statement: Span
    function: str  # qualified name with module: "services.agent.FitCheckAgent.analyze"
    covered: bool  # the owner of this occurrence is known to be the slot's owner


class CallSite(Struct, frozen=True):
    """One call that is known to come to a function of the program."""

    callee: Span  # of the function's head
    span: Span  # of the call


class Registration(Struct, frozen=True):
    """Where a framework gets to know a function; without `inputs`, no list says what the function is given."""

    span: Span  # of the call, or of the decorator
    at: int  # the position of the function in a call
    inputs: str  # as `EntryModel.inputs`
    outputs: str
    exact: tuple[str, ...]


class Handler(Struct, frozen=True):
    """A function that a framework calls, and how it comes by the session's id."""

    head: Span
    id: str  # "request.session_hash" of a parameter that it has; empty when it has none
    given: str  # class of a parameter that it may ask for: "gradio.Request"; empty when there is none
    attribute: str  # of such a parameter: "session_hash"
    registered: tuple[Registration, ...] = ()


class Passing(Struct, frozen=True):
    """How the session's id can come to the functions that use a slot, for codemods."""

    calls: tuple[CallSite, ...] = ()  # of those functions, and of all that call them
    handlers: tuple[Handler, ...] = ()  # among all of these
    once: str = ""  # the id for all of them by its full dotted name, where no parameter has to say it
    homes: tuple[HomeModel, ...] = ()  # where the framework of all of them keeps state; none where others run them too
    others: tuple[Span, ...] = ()  # calls of functions of the same names that are none of them


class Place(Struct, frozen=True):
    """A slot that outlives the request, as `owner`.`slot` and the path below it."""

    kind: PlaceKind
    owner: str  # qualified: "services.agent.FitCheckAgent", "store.cache" (module), "app.create_app" (closure)
    slot: str  # attribute or name: "_callback_holder"
    path: tuple[str, ...]  # what lies between the slot and the written item: ("['callback']",)
    text: str  # as the code writes it: `self._callback_holder["callback"]`
    created: Span | None  # where the shared object is made
    why: str  # why it is shared: "`agent` is made once, at import"
    library: bool = False  # whether `owner` is no code of the program
    setting: str = ""  # of `library`: what a model says the process has there, as "the environment"
    swapped: bool = False  # of `setting`: storing anything there disturbs other requests
    client: str = ""  # the library class whose instances send what is written here with every later call

    @property
    def kept(self) -> Kept:
        """What keeps a value that is written here."""
        last = self.path[-1] if self.path else ""
        if self.client:
            return Kept.CLIENT
        match self.kind:
            case PlaceKind.DEFAULT:
                return Kept.DEFAULT
            case PlaceKind.CLASS:
                return Kept.CLASS
            case PlaceKind.CLOSURE:
                return Kept.VARIABLE
            case PlaceKind.GLOBAL if self.library:
                return Kept.LIBRARY
            case PlaceKind.GLOBAL if not last and "." not in self.slot:
                return Kept.NAME
            case PlaceKind.INSTANCE if last != _ANY_ITEM:
                return Kept.ATTRIBUTE
            case _:
                return Kept.ITEM if last.startswith("[") else Kept.ATTRIBUTE


class Entry(Struct, frozen=True):
    """Where requests come in."""

    label: str  # "FastAPI route POST /stream"
    function: str
    span: Span
    concurrency: str  # "loop", "pool" or "task"
    certain: bool
    assumed: bool = False  # of a program without any known framework
    account: bool = False  # of `assumed`: of an object that is made with the credentials of one account
    homes: tuple[HomeModel, ...] = ()  # where the framework keeps what belongs to one request or session

    def home(self, scope: str) -> str:
        """What the framework has for state of that scope ("request" or "session"); empty when nothing is known."""
        return next((home.use for home in self.homes if home.scope == scope), "")


class Hop(Struct, frozen=True):
    """One call on the way from the entry to the fact."""

    span: Span  # of the call
    caller: str
    callee: str


class Route(Struct, frozen=True):
    """A shortest known way of a request to a function."""

    entry: Entry
    hops: tuple[Hop, ...]
    others: int  # further entries that reach the same fact


class Suspect(Struct, frozen=True):
    """A fact that a rule may report; `span` is the exact node that LibCST will be asked for."""

    function: str
    span: Span
    statement: Span
    route: Route | None


class WriteSuspect(Suspect, frozen=True):
    """Request code writes request data to a place that outlives the request."""

    place: Place
    access: Access
    value: str  # source text of what is kept; empty for deletes
    value_span: Span | None
    strength: Strength
    concept: str  # "session", "user", "tenant", "request", ... or empty
    guarded: bool  # only written when still empty: the first request wins for ever
    how: str  # "assign", "global", "nonlocal", "setattr", or the mutating method's name
    siblings: tuple[Use, ...]  # other writes of the slot in request code
    resets: tuple[Use, ...]  # deletes and resets of the slot
    readers: tuple[Use, ...]  # reads that other requests can reach
    uses: tuple[Use, ...]  # every occurrence in the program, for codemods
    suspends: Span | None  # first await or yield between the write and a later read, for the timeline
    certain: bool  # the object is known, not assumed, to be the shared one
    apart: Use | None = None  # a use by what a writing request does not run: start-up code, another kind of request
    passing: Passing = Passing()
    keys: tuple[Span, ...] = ()  # the constants, wherever they stand, that names in its subscripts stand for
    kept_by: tuple[Span, ...] = ()  # the stores that made something of one request outlive it, and so the place
    derived: bool = False  # it keeps only what requests had left elsewhere before, where that is told
    own_lock: bool = False  # each write enters the object first, which takes a lock of its own


class SettingSuspect(Suspect, frozen=True):
    """Request code changes something that the whole process has once."""

    setting: str  # what it is: "the working directory", "`openai.api_key`"
    text: str  # source of the call or of the written place
    value: str  # source text of the request data in it; empty when there is none
    strength: Strength | None  # of that data
    concept: str
    race: bool  # changing it at all disturbs other requests, whatever the value is
    known: bool  # a model says so, and not only that it is a name of a library
    siblings: tuple[Use, ...]  # other places in request code that change it
    undone: Use | None  # where the same function sets it back


class Single(Enum):
    """What a library object is that serves one request or one session at a time."""

    SESSION = "database session"
    CONNECTION = "database connection"
    CURSOR = "database cursor"
    CONVERSATION = "conversation"
    COOKIES = "cookies"


class SharedUseSuspect(Suspect, frozen=True):
    """All requests use one library object that is made for one of them; `span` is where it is made."""

    single: Single
    name: str  # what the program calls it: "db.session"
    kind: str  # its class: "sqlalchemy.orm.Session"
    why: str  # why it is shared
    uses: tuple[Use, ...]  # in request code, the nearest first
    texts: tuple[str, ...]  # their source text
    pool: bool  # requests use it on several threads
    passing: Passing = Passing()  # of a database session


class FileSuspect(Suspect, frozen=True):
    """Request code writes request data to a file whose name is the same for all requests, and reads it back."""

    path: str  # the name as the code writes it
    text: str  # source of the writing call
    value: str  # source text of what is written; empty when it is not one expression
    strength: Strength
    concept: str
    reader: Use
    reading: str  # source text of the reading expression
    suspends: Span | None  # first await or yield between them


class IdOrigin(Enum):
    """Where an id comes from that does not identify."""

    CONSTANT = "constant"
    FALLBACK = "fallback"
    IMPORT_TIME = "import-time"
    MEMOIZED = "memoized"
    COLLIDING = "colliding"


class IdSuspect(Suspect, frozen=True):
    """An id of the wrong origin is used as a session id by request code; `span` is where it is brought in."""

    origin: IdOrigin
    name: str  # the target that makes it an id: "session_id", "thread_id"
    concept: str
    value: str  # source text: `"default"`, `str(uuid4())`
    value_span: Span  # of that text: what a fix replaces
    why: str  # for colliding ids: "a clock", "`hash()`", "the client's address"
    use: Span  # where request code uses it
    use_text: str  # "key of `self.sessions`", "argument `session_id` of `agent.run`"
    form: str  # "assign", "argument", "keyword", "default", "dict-key", "key", "or", "get", "else", "return", "module",
    # "class-attribute", "dataclass-field", "decorator", "lazy-attribute", "factory"
    available: str = ""  # an id of this session that is in scope there: `session_id`, `request.session_hash`
    factory: str = ""  # the keyword with which a field or parameter makes its default for each object or call
    field: str = ""  # the function that takes it, by dotted name, where the default stands alone
    in_request: bool = False  # the code that brings it in runs for every request
    uses: tuple[Use, ...] = ()  # every occurrence of the attribute or name that holds it, for codemods
    passing: Passing = Passing()  # how the session's id could come to the functions that read it
    made: Span | None = None  # where another function makes a colliding id


class SiblingPath(Struct, frozen=True):
    """How one of several sibling functions says the id that all of them send."""

    function: str  # qualified
    text: str  # source text of the id: `session_id or self.session_id`
    dropped: str  # a parameter for this id that it does not ask; empty when it asks or has none
    span: Span
    other: str = ""  # of calls that name the id twice: the second


class OverrideSuspect(Suspect, frozen=True):
    """An ambient id is used although an override of the same concept is in scope, or an override is ignored."""

    concept: str
    override: str  # parameter name or expression that holds the override: "session_id", "runtime_opts"
    ambient: str  # source text of the ambient use; empty for ignored overrides
    resolver: str  # what to use instead: the parameter, or the project's own resolver call; empty if none
    form: str  # "ambient", "built" or "keyed" (a callee's payload or key), "ignored", "logged", "split-call",
    # "split-paths" (`ambient` is what this path says, `resolver` what `name` does)
    key: str = ""  # the name of the id in the payload or key, where a callee makes it
    callee: str = ""  # that callee, qualified
    source: Span | None = None  # the ambient read itself, or the second of two ids
    kind: str = "context"  # what the ambient id is read from: "context" or "settings"
    optional: bool = False  # the override may be None
    same: bool = False  # today all callers hand in what the surroundings say
    pass_on: Span | None = None  # for ignored overrides: a call that takes the same parameter
    name: str = ""  # of the parameter of that call; of the sibling that says it in another way
    paths: tuple[SiblingPath, ...] = ()  # for split identities: all siblings, in order


TASK_ARGUMENTS = "kwargs"  # the keyword under which queues take the arguments of a task


class PropagationSuspect(Suspect, frozen=True):
    """A call that drops an id which is in scope."""

    concept: str
    name: str  # the parameter or header that should carry it: "request_id", "X-Request-ID"
    available: str  # source text of the id in scope: `request_id`, `request.state.request_id`
    callee: str
    form: str  # "parameter" (first-party), "outbound", "fresh" (`callee` is the new id) or "log"
    example: Span | None  # the parameter that takes it, or a sibling call that does send it
    carrier: str = ""  # the keyword that takes headers or metadata, or the arguments of a task


class RaceForm(Enum):
    """What a function does with an entry that it looked up before."""

    INSERT = "insert"  # stores a new one
    UPDATE = "update"  # stores one computed from the old
    REMOVE = "remove"  # ends it and takes it out


class RaceSuspect(Suspect, frozen=True):
    """A look-up that another request can outdate before the step that depends on it; `span` is the look-up."""

    place: str  # the map as the code writes it: "self._sessions"
    key: str  # the key, likewise; empty for attributes
    check: str  # source text of the look-up
    act: Span
    act_text: str
    doer: str  # the function that acts, when it is a callee
    form: RaceForm
    pause: Span | None  # where the function waits; None when a thread is stopped anywhere
    pause_text: str
    threads: bool  # runs in a thread pool
    useless: str  # a lock that is held over both and keeps nobody out there
    useless_reach: str  # "task" or "own"
    sure: bool  # something is lost whenever it happens
    store: str = ""  # the library class, where the state is kept outside of the process
    row: bool = False  # of `store`: `place` is the class of a row, `key` the columns it is looked for by
    also: tuple[Span, ...] = ()  # of `row`: where rows of the class are looked for and added in the same way
    many: bool = False  # of `row`: other code adds such rows without looking, and the look-up takes the first of them
    administrators: bool = False  # of `row`: nobody else comes there


class CacheSuspect(Suspect, frozen=True):
    """A cache whose values depend on who asks, while its key does not say who; `span` is the decorator or the store."""

    name: str  # the function, or the dict as the code writes it
    key: str  # what the key is made of: "`query`", "the path of the request"; empty for nothing
    needs: tuple[str, ...]  # what the value depends on beyond the key: "current_user.id"
    concept: str  # of the first: "user", "tenant", ...; empty for other request data
    source: Span  # where the first is read
    form: str  # "decorator" or "dict"; "slot" for one place without a key
    sure: bool


class GrowthSuspect(Suspect, frozen=True):
    """A shared map that gets an entry for every session, user or request; nothing takes one out."""

    name: str  # the map as the code writes it
    key: str  # source text of the key
    concept: str  # "session", "user", "request" or "connection"
    created: Span | None
    written: str  # source text of the write
    also: tuple[
        Span, ...
    ] = ()  # where the same function adds an entry under the same key to others that never lose one


class CredentialSuspect(Suspect, frozen=True):
    """A shared map keeps one session or conversation for an API key or account; `span` is the store."""

    name: str  # the map as the code writes it
    key: str
    written: str  # source text of the write
    created: Span | None


class OwnerSuspect(Suspect, frozen=True):
    """A session is looked up by an id that the client says, and nobody asks whose it is; `span` is the look-up."""

    name: str  # of the id: "session_id"
    look_up: str  # source text
    principal: str  # the parameter, or the decorator that asks for a login
    source: Span
    form: str  # "parameter" or "decorator"


class ThreadLocalSuspect(Suspect, frozen=True):
    """Request data in a `threading.local`, where requests share a thread; `span` is the write, else the read."""

    name: str  # as the code writes it: "state.user"
    value: str  # source text of what is kept; empty where only the read is at fault
    strength: Strength
    concept: str
    created: Span  # where the `threading.local` is made
    suspends: Span | None  # first await behind the write, on the way out of it
    readers: tuple[Use, ...]
    pool: bool  # code of a thread pool sets it too
    uses: tuple[Use, ...]  # every occurrence of the object's name in the program, for codemods


class Misuse(Enum):
    """What is wrong with how a ContextVar is used."""

    DEFAULT = "default"  # its default is an object that request code changes
    GENERATOR = "generator"  # set by a generator that does not set it back
    KEPT = "kept"  # set where the context lives on, and not set back


class ContextVarSuspect(Suspect, frozen=True):
    """A ContextVar that does not keep requests apart; `span` is where it is made (DEFAULT), else where it is set."""

    misuse: Misuse
    name: str
    concept: str
    value: str  # source text of what is put into the default, or of what the variable is set to
    default: str  # source text of the default
    default_span: Span | None  # None when it is not written where the variable is made
    writes: tuple[Use, ...]  # what changes the default
    readers: tuple[Use, ...]  # who finds what is left
    uses: tuple[Use, ...]  # every occurrence in the program, for codemods


class Aside(IntEnum):
    """What a value is read for, besides the program's own work."""

    NO = 0  # for the work itself
    LINES = 1  # for log lines only
    FIGURES = 2  # only for figures on how the program is used, which somebody looks at some day


class ContextLostSuspect(Suspect, frozen=True):
    """Code that reads a ContextVar is run where the caller's context does not follow; `span` is that call."""

    name: str  # of the variable
    concept: str  # of what it holds
    border: str  # "thread", "process" or "queue"
    callee: str  # what is run there, qualified
    way: tuple[Hop, ...]  # the calls from there to the read
    read: Span
    reader: str  # the function that reads it, qualified
    setter: Span  # where request code sets it
    others: tuple[str, ...]  # further variables that are lost with it
    aside: Aside
    passed: Span | None  # the argument that names what is run
    packed: (
        str  # the keyword of a tuple of its arguments; "rest" where they follow it; "each" where there are many calls
    )


class StoreLockSuspect(Suspect, frozen=True):
    """A lock of one process is all that guards state which other processes reach; `span` is the lock."""

    lock: str
    store: str  # "redis.Redis", "a file", "a database"
    read: Span
    read_text: str
    write: Span  # depends on what was read
    write_text: str
