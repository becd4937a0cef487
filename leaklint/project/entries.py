"""Entry points: which functions a framework runs, in which phase, and what their parameters are.

What makes an entry point is in the models; this module only applies it.
"""

from __future__ import annotations

from collections.abc import Iterable

from leaklint.index.summary import Bind, Call, Const, Display, Item, Kind, Name, Param, ParamKind, Term
from leaklint.models import CallModel, EntryModel
from leaklint.project import annotated, attributes, calls, evaluate, execute, library_calls
from leaklint.project.program import FunctionInfo
from leaklint.project.state import EntryPoint, Frame, State
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    NOTHING,
    Args,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Keywords,
    Literal,
    Member,
    Method,
    Partial,
    Phase,
    Token,
    Value,
)

_BY_POSITION = (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)
_TRAITS = ("property", "staticmethod", "classmethod", "contextmanager")


# --- decorators -----------------------------------------------------------------------------------------------------


def decorated(s: State, frame: Frame, value: Value, decorators: tuple[Term, ...], at: int) -> Value:
    """What a definition's name stands for after its decorators, innermost first."""
    for term in reversed(decorators):
        value = _decorate(s, frame, value, term, at)
    return value


def _decorate(s: State, frame: Frame, value: Value, term: Term, at: int) -> Value:
    functions = _functions(value)
    if _is_setter(term):
        for atom in functions:
            if isinstance(atom, FunctionValue):
                s.traits[atom].add("setter")
                s.setters.add(atom.info.function.name)
        return value
    called = isinstance(term, Call)
    makers = evaluate.evaluate(s, frame, term.func if isinstance(term, Call) else term, at)
    result: Value = NOTHING
    first_party = False
    for maker in makers:
        fqn = _library_name(maker)
        if fqn is None:
            first_party = True
            continue
        _library_decorator(s, frame, fqn, functions, term, at)
    if called and any(_library_name(m) for m in makers):
        evaluate.evaluate(s, frame, term, at)
    if first_party:
        outer = evaluate.evaluate(s, frame, term, at)
        call = Call(term, (Name("", 0),), (), getattr(term, "span", 0), -1 - at)
        for maker in outer:
            if isinstance(maker, (FunctionValue, Method, ClassValue, Instance, Partial)) and not _library_name(maker):
                result = result | calls.call_atom(s, frame, maker, call, (value,), (), at)
        kept = frozenset(a for a in result if isinstance(a, (FunctionValue, Method, Instance, Partial, ClassValue)))
        return kept or value
    return value


def _is_setter(term: Term) -> bool:
    return getattr(term, "name", "") in ("setter", "deleter")


def _library_name(atom: Atom) -> str | None:
    if isinstance(atom, (External, Member)):
        return atom.fqn
    if isinstance(atom, Instance) and atom.cls is None:
        return f"{atom.fqn}.__call__"
    return None


def _library_decorator(s: State, frame: Frame, fqn: str, functions: Value, term: Term, at: int) -> None:
    model = s.models.call(fqn)
    for atom in functions:
        function = atom.function if isinstance(atom, Method) else atom
        if not isinstance(function, FunctionValue):
            continue
        if model is not None:
            if model.gives in _TRAITS:
                s.traits[function].add(model.gives)
            if model.memo:
                s.memoised.setdefault(function.info, (term, frame))
            if model.gives == "argument" and isinstance(term, Call) and len(term.args) > model.argument:
                _decorate(s, frame, frozenset((atom,)), term.args[model.argument], at)  # what it adapts to methods
        elif fqn in ("builtins.property", "builtins.staticmethod", "builtins.classmethod"):
            s.traits[function].add(fqn.rpartition(".")[2])
    for entry in s.models.decorator(fqn):
        label = _label(entry, fqn, term, functions)
        for atom in functions:
            if entry.makes and (made := _info(atom)) is not None:
                s.made_of[made] = entry.makes
            if isinstance(atom, FunctionValue) and isinstance(term, Call) and _is_said(entry.bound, term.keywords):
                atom = s.method(atom, _made_of(s, frame, entry, term, at))
            add(s, frame, entry, label, atom, getattr(term, "span", 0))


def decorated_by_call(s: State, frame: Frame, term: Call, value: Value, at: int) -> Value:
    """`app.get("/notes")(handler)`: what it registers, as a decorator would; nothing where no library's is called."""
    maker = term.func
    if not isinstance(maker, Call):
        return NOTHING
    names = {_library_name(atom) or "" for atom in evaluate.evaluate(s, frame, maker.func, at)}
    known = sorted(name for name in names if s.models.decorator(name))
    for name in known:
        _library_decorator(s, frame, name, _functions(value), maker, at)
        for cls in [a for a in value if isinstance(a, ClassValue)]:
            for entry in s.models.decorator(name):
                _class_entry(s, frame, cls, entry, name)
    return value if known else NOTHING


def wrapped(s: State, frame: Frame, fqn: str, value: Value, term: Call, at: int) -> Value:
    """`app.task(handler)`: the functions registered by passing them to a decorator; nothing where it is none."""
    functions = _functions(value) if s.models.decorator(fqn) else NOTHING
    if not functions:
        return NOTHING
    _library_decorator(s, frame, fqn, functions, term.func, at)
    return functions


def _functions(value: Value) -> Value:
    return frozenset(a for a in value if isinstance(a, (FunctionValue, Method)))


def _made_of(s: State, frame: Frame, entry: EntryModel, term: Call, at: int) -> Instance:
    """What a decorator makes of a function: an object of the library, or of the program's own class that it names."""
    for key, value in term.keywords:
        for cls in evaluate.evaluate(s, frame, value, at) if key and key == entry.subclass else NOTHING:
            if isinstance(cls, ClassValue):
                made = s.the_instance(cls, "", cls.info.module, cls.info.summary.head, Phase.SETUP)
                calls.initialise(s, frame, made)
                return made
    return s.the_instance(None, entry.makes, frame.info.module, term.span, Phase.SETUP)


def _is_said(wanted: str, given: Iterable[tuple[str | None, Term | None]]) -> bool:
    """Whether `name=value`, as a model writes it, is among names and their values."""
    name, _, value = wanted.partition("=")
    return any(key == name and isinstance(v, Const) and str(v.value) == value for key, v in given)


def decorate_class(s: State, frame: Frame, cls: ClassValue, value: Value, term: Term, at: int) -> Value:
    """What a class's name stands for after a decorator; that of a library makes entry points and changes nothing."""
    evaluate.evaluate(s, frame, term, at)
    made: Value = NOTHING
    for maker in evaluate.evaluate(s, frame, term.func if isinstance(term, Call) else term, at):
        fqn = _library_name(maker)
        if fqn is None:
            made = made | _decorated_class(s, frame, value, term, at)
        model = s.models.call(fqn) if fqn is not None else None
        if model is not None and model.gives == "dataclass":
            s.data_classes.add(cls)
        if model is not None and model.gives == "argument" and isinstance(term, Call):
            _decorate_methods(s, frame, cls, term, model.argument, at)
        for entry in s.models.decorator(fqn) if fqn is not None else ():
            _class_entry(s, frame, cls, entry, fqn or "")
    return made or value


def _decorate_methods(s: State, frame: Frame, cls: ClassValue, term: Call, argument: int, at: int) -> None:
    """`@adapted(decorator, name="get")` above a class: a method of that name, or all that requests come to."""
    said = [v.value for k, v in term.keywords if k == "name" and isinstance(v, Const)]
    bases = (entry for base in calls.mro(s, cls)[1] for entry in s.models.base(base))
    names = said if any(name in cls.info.methods for name in said) else [m for entry in bases for m in entry.methods]
    for name in dict.fromkeys(names) if said and len(term.args) > argument else ():
        functions = frozenset(v for v in s.read(cls, str(name), frame) if isinstance(v, FunctionValue))
        if functions:
            _decorate(s, frame, functions, term.args[argument], at)


def _decorated_class(s: State, frame: Frame, value: Value, term: Term, at: int) -> Value:
    """What a decorator of the program puts in place of a class: an accessor of its one instance, a subclass."""
    call = Call(term, (Name("", 0),), (), getattr(term, "span", 0), -1 - at)
    made: Value = NOTHING
    for maker in evaluate.evaluate(s, frame, term, at):
        if isinstance(maker, (FunctionValue, Method, ClassValue, Partial)):
            made = made | calls.call_atom(s, frame, maker, call, (value,), (), at)
    return frozenset(a for a in made if isinstance(a, (FunctionValue, Method, Partial, ClassValue, Instance)))


# --- registration calls ---------------------------------------------------------------------------------------------


def registered(
    s: State, frame: Frame, models: list[EntryModel], fqn: str, term: Call, args: Args, keywords: Keywords
) -> None:
    """`add_url_rule("/x", view_func=f)`, `button.click(f)`: the function passed is an entry point."""
    for entry in models:
        given = [value for key, value in keywords if key in entry.keyword]
        if not given or len(entry.keyword) > 1:
            given.append(library_calls.argument(args, keywords, entry.argument))
        for atom in NOTHING.union(*given):
            _register(s, frame, entry, fqn, atom, term)


def _register(s: State, frame: Frame, entry: EntryModel, fqn: str, atom: Atom, term: Call) -> None:
    label = _label(entry, fqn, term, frozenset((atom,)))
    if isinstance(atom, ClassValue):
        _class_entry(s, frame, atom, entry, fqn)
    elif isinstance(atom, Instance) and atom.cls is not None:
        if "*" in entry.methods and calls.class_functions(s, frame, atom.cls, "__getattr__"):
            for handler in attributes.made_up(s, frame, atom, "*", term.span):
                add(s, frame, entry, label, handler, term.span)  # whatever it is asked for
            return
        for name in _methods(s, entry, atom.cls):
            for method in evaluate.class_lookup(s, frame, atom, name, term.span, 0, NOTHING):
                add(s, frame, entry, label, method, term.span)
    elif isinstance(atom, Instance) and atom.fqn in ("builtins.list", "builtins.tuple", "builtins.dict"):
        for item in s.items(atom, frame):
            if not isinstance(item, Instance) or item.cls is not None:
                _register(s, frame, entry, fqn, item, term)
    else:
        add(s, frame, entry, label, atom, term.span)


def initialised(s: State, frame: Frame, cls: ClassValue) -> None:
    """Methods that the class body registers run on an object that nobody was seen to make."""
    for handler in list(s.entries):
        made = handler.receiver
        if handler.env is not None and handler.env.cls is cls and isinstance(made, Instance) and made.frame is None:
            calls.initialise(s, frame, made)


def subclassed(s: State, frame: Frame, cls: ClassValue) -> None:
    """A subclass of a framework's class: its methods with known names are entry points."""
    for base in calls.mro(s, cls)[1]:
        for entry in s.models.base(base):
            _class_entry(s, frame, cls, entry, base)


def listed_in_settings(s: State, frame: Frame, cls: ClassValue) -> None:
    """A class that is known by its name alone, whose attributes say what is run: `functions = [f, g]`."""
    name = cls.info.summary.name
    for entry in s.models.settings.get(name, ()):
        term = Call(Name(name, cls.info.summary.head), (), (), cls.info.summary.head, -1)
        for atom in NOTHING.union(*(s.read(cls, keyword, frame) for keyword in entry.keyword)):
            _register(s, frame, entry, name, atom, term)


def _class_entry(s: State, frame: Frame, cls: ClassValue, entry: EntryModel, fqn: str) -> None:
    phase = Phase.REQUEST if entry.instance == "request" and not _is_kept(s, cls, entry) else Phase.SETUP
    instance = s.the_instance(cls, "", cls.info.module, cls.info.summary.head, phase)
    if instance.frame is None and phase is Phase.SETUP:
        calls.initialise(s, frame, instance)
    for found in _methods(s, entry, cls):
        for method in evaluate.class_lookup(s, frame, instance, found, 0, 0, NOTHING):
            label = (entry.label or "{name}").format_map(_Named(name=found, cls=cls.info.summary.name))
            if isinstance(method, (Method, FunctionValue)):
                add(s, frame, entry, label, method, cls.info.summary.head)


def _methods(s: State, entry: EntryModel, cls: ClassValue) -> Iterable[str]:
    """The names of the methods that an entry is about: `*` are all public ones, `on_*` all that begin so."""
    order = calls.mro(s, cls)[0]
    for wanted in entry.methods or ("__call__",):
        if wanted == "*":
            yield from (name for base in order for name in base.info.methods if not name.startswith("_"))
        elif wanted.endswith("*"):  # also functions that the class body names in another way
            yield from [name for base in order for name in s.heap.get(base, ()) if name.startswith(wanted[:-1])]
        else:
            yield wanted


def _is_kept(s: State, cls: ClassValue, entry: EntryModel) -> bool:
    """Whether a class says that one instance serves all requests, though its framework makes many."""
    bodies = (c.info.module.functions[c.info.summary.body].function.ops for c in calls.mro(s, cls)[0])
    binds = [op for ops in bodies for op in ops if isinstance(op, Bind) and isinstance(op.target, Name)]
    return _is_said(entry.unless, ((op.target.id, op.value) for op in binds if isinstance(op.target, Name)))


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _label(entry: EntryModel, fqn: str, term: Term, functions: Value) -> str:
    name = fqn.rpartition(".")[2]
    first = ""
    if isinstance(term, Call) and term.args and isinstance(term.args[0], Const) and isinstance(term.args[0].value, str):
        first = term.args[0].value
    handler = ""
    for atom in functions:
        info = _info(atom)
        handler = info.function.name if info is not None else handler
        if isinstance(atom, Instance) and atom.cls is not None:
            handler = atom.cls.info.summary.name
    text = entry.label or "{name}"
    named = _Named(name=name, NAME=name.upper(), path=first, handler=handler)
    return " ".join(text.format_map(named).split())


def _info(atom: Atom) -> FunctionInfo | None:
    if isinstance(atom, FunctionValue):
        return atom.info
    if isinstance(atom, Method):
        return atom.function.info
    return None


# --- adding an entry ------------------------------------------------------------------------------------------------


def add(s: State, frame: Frame, entry: EntryModel, label: str, atom: Atom, span: int) -> None:
    """Run a function as its framework would."""
    if isinstance(atom, Partial):
        atom = atom.func
    receiver: Atom | None = None
    if isinstance(atom, Method):
        function, receiver = atom.function, atom.receiver
    elif isinstance(atom, FunctionValue):
        function = atom
    else:
        return
    if frame.info.function.kind is Kind.CLASS and receiver is None and frame.cls is not None:
        receiver = _receiver_of(s, frame.cls, function, entry)
    phase = Phase.REQUEST if entry.phase == "request" else Phase.SETUP
    s.registered.setdefault(function.info, {})[frame.info.module, span] = entry
    handler = s.frame(function.info, function.env, receiver, phase, ("entry",))
    if handler.entry is None:
        handler.entry = EntryPoint(entry, label, frame.info.module, span or function.info.function.head)
        s.entries.append(handler)
        _fill_parameters(s, handler, function, receiver, entry)
        handler.dirty = False
        s.enqueue(handler)
        if entry.returned:
            s.factories.append((handler, entry, label))


def add_script(s: State, frame: Frame, entry: EntryModel) -> None:
    """A module whose body is run for every session."""
    frame.entry = EntryPoint(entry, entry.label or "script", frame.info.module, frame.info.function.head)
    s.entries.append(frame)


def shaped(s: State, frame: Frame, function: FunctionValue) -> None:
    """A function that is known as an entry point by its name and its parameters."""
    names = tuple(p.name for p in function.info.function.params)
    if frame.cls is not None and names:
        names = names[1:]
    for entry in s.models.shapes.get(names, ()):
        if not entry.function or function.info.function.name in entry.function:
            called = frame.cls is not None and function.info.function.name == "__call__"
            name = frame.cls.info.summary.name if called and frame.cls is not None else function.info.function.name
            label = (entry.label or "{name}").format_map(_Named(name=name))
            add(s, frame, entry, label, function, function.info.function.head)


def _receiver_of(s: State, cls: ClassValue, function: FunctionValue, entry: EntryModel) -> Atom | None:
    """Methods decorated in a class body belong to an instance that the framework or the program makes."""
    if "staticmethod" in s.traits.get(function, ()) or not function.info.function.params:
        return None
    phase = Phase.REQUEST if entry.instance == "request" else Phase.SETUP
    return s.the_instance(cls, "", cls.info.module, cls.info.summary.head, phase)


def _fill_parameters(
    s: State, handler: Frame, function: FunctionValue, receiver: Atom | None, entry: EntryModel
) -> None:
    s.filled[handler] = entry
    params = list(function.info.function.params)
    if receiver is not None and params:
        handler.args[params.pop(0).name] = frozenset((receiver,))
    if entry.makes and params and params[0].name == "self":
        handler.args[params.pop(0).name] = frozenset((function,))  # bound to what the decorator made of it
    for position, param in enumerate(params):
        handler.args[param.name] = _parameter(s, handler, function, param, entry, position)


def refill(s: State, handler: Frame) -> None:
    """Provide a frame's arguments again: what dependencies give may have grown since."""
    function = s.function_value(handler.info, handler.env)
    before = dict(handler.args)
    _fill_parameters(s, handler, function, handler.receiver, s.filled[handler])
    for name, value in handler.args.items():
        if value != before.get(name):
            handler.todo |= handler.info.users(name)
            s.wake(handler, name)


def _parameter(
    s: State, handler: Frame, function: FunctionValue, param: Param, entry: EntryModel, position: int
) -> Value:
    env = function.env
    if env is None:
        return NOTHING
    injected = _injected(s, handler, env, param, function)
    if injected is not None:
        return injected
    known = (
        annotated.typed(s, env, param.annotation, Phase.REQUEST, handler) if param.annotation is not None else NOTHING
    )
    if any(isinstance(a, Instance) and a.cls is None for a in known):
        kinds = [s.models.type(a.fqn) for a in known if isinstance(a, Instance)]
        if any(k is not None for k in kinds):
            return known  # the request object itself, or a helper of the framework
    usual = _usual_type(entry, param, position)
    if usual and param.annotation is None and not entry.returned:
        return annotated.library_object(s, env, handler, usual, Phase.REQUEST)
    if entry.parameters != "request":
        return known
    data: Atom = evaluate.request_data(s, param.name)
    if param.kind in (ParamKind.VAR_POSITIONAL, ParamKind.VAR_KEYWORD):
        data = s.taint(Strength.CONTENT)
    return known | {data} | _said_in_default(s, function, param)


def _said_in_default(s: State, function: FunctionValue, param: Param) -> Value:
    """The id that the default of a parameter brings in where a request says none."""
    if param.default is None or not s.models.concept(param.name):
        return NOTHING
    return frozenset(a for a in calls.default(s, function, param.default) if isinstance(a, (Literal, Token)))


def _usual_type(entry: EntryModel, param: Param, position: int) -> str:
    """The class that a framework passes for a parameter, by its name or else by its position."""
    by_name = dict(t.split("=") for t in entry.types if "=" in t)
    by_position = [t for t in entry.types if "=" not in t]
    if param.name in by_name:
        return by_name[param.name]
    return by_position[position] if position < len(by_position) and param.kind in _BY_POSITION else ""


def _injected(s: State, handler: Frame, env: Frame, param: Param, function: FunctionValue) -> Value | None:
    """What a marker such as a default of `Depends(f)` or `Annotated[T, Depends(f)]` provides."""
    at = function.info.defined_at
    if isinstance(param.default, Item) and (known := _made_by_provider(s, env, param.default)):
        return known
    if (wrapped := _wrapped(s, env, param.annotation, at)) is not None:
        return annotated.typed(s, env, wrapped, Phase.REQUEST, handler)
    for marker in (param.default, *_metadata(s, env, param.annotation, at)):
        where, call = marker if isinstance(marker, tuple) else (env, marker)
        value = _provided(s, handler, where, call, param=param, at=at) if isinstance(call, Call) else None
        if value is not None:
            return value
    return None


def _wrapped(s: State, env: Frame, annotation: Term | None, at: int) -> Term | None:
    """The `T` of an annotation such as `FromContainer[T]`, by which a library provides one."""
    if not isinstance(annotation, Item):
        return None
    for maker in evaluate.evaluate(s, env, annotation.base, at):
        model = s.models.call(maker.fqn) if isinstance(maker, External) else None
        if model is not None and model.inject:
            return annotation.key
    return None


def _metadata(s: State, env: Frame, annotation: Term | None, at: int) -> list[tuple[Frame, Call]]:
    """The calls in `Annotated[T, ...]`, also behind a module-level alias."""
    if annotation is None:
        return []
    frame, term = annotated.resolve_alias(s, env, annotation)
    if not isinstance(term, Item) or not isinstance(term.key, Display):
        return []
    return [(frame, v) for v in term.key.values[1:] if isinstance(v, Call)]


def _provided(s: State, handler: Frame, env: Frame, marker: Call, *, param: Param, at: int) -> Value | None:
    makers = evaluate.evaluate(s, env, marker.func, max(len(s.ops(env)) - 1, 0))
    model: CallModel | None = None
    for maker in makers:
        fqn = _library_name(maker)
        found = s.models.call(fqn) if fqn is not None else None
        if found is not None and found.inject:
            model = found
    if model is None:
        return None
    end = max(len(s.ops(env)) - 1, 0)
    if marker.args and isinstance(marker.args[0], Item) and (known := _made_by_provider(s, env, marker.args[0])):
        return known
    if marker.args and not isinstance(marker.args[0], Item):  # `Provide[Container.service]` is no function
        providers = evaluate.evaluate(s, env, marker.args[0], end)
    else:
        keyword = next((v for k, v in marker.keywords if k == model.inject), None)
        source = keyword if keyword is not None else param.annotation
        providers = evaluate.evaluate(s, env, _bare(s, env, source), end) if source is not None else NOTHING
    return _run_provider(s, handler, providers, marker)


def _made_by_provider(s: State, env: Frame, term: Item) -> Value:
    """What `Provide[Container.service]` stands for, where the program says how it is made."""
    value = evaluate.evaluate(s, env, term, max(len(s.ops(env)) - 1, 0))
    return frozenset(atom for atom in value if isinstance(atom, Instance) and atom.phase is Phase.SETUP)


def _bare(s: State, env: Frame, annotation: Term) -> Term:
    """The `T` of `Annotated[T, ...]`."""
    _, term = annotated.resolve_alias(s, env, annotation)
    if isinstance(term, Item) and isinstance(term.key, Display) and term.key.values:
        return term.key.values[0]
    return annotation


def _run_provider(s: State, handler: Frame, providers: Value, marker: Call) -> Value:
    """Run a dependency for this request: its parameters are request data like those of the handler."""
    found: Value = NOTHING
    for provider in providers:
        found = found | _dependency(s, handler, provider, marker)
    return found


_DEPENDENCY = EntryModel(label="dependency")


def _dependency(s: State, handler: Frame, provider: Atom, marker: Call) -> Value:
    if isinstance(provider, ClassValue):
        instance = s.instance(provider, "", handler, marker.span)
        for base in calls.mro(s, provider)[0]:
            inits = [v for v in s.read(base, "__init__", handler) if isinstance(v, FunctionValue)]
            if inits:
                _enter_dependency(s, handler, inits[0], instance, marker)
                break
        return frozenset((instance,))
    if isinstance(provider, Instance) and provider.cls is not None:
        found: Value = NOTHING
        for method in evaluate.class_lookup(s, handler, provider, "__call__", marker.span, 0, NOTHING):
            found = found | _dependency(s, handler, method, marker)
        return found
    if isinstance(provider, FunctionValue):
        return _enter_dependency(s, handler, provider, None, marker)
    if isinstance(provider, Method):
        return _enter_dependency(s, handler, provider.function, provider.receiver, marker)
    if isinstance(provider, External) and handler.env is not None and s.models.type(provider.fqn) is not None:
        return annotated.library_object(s, handler.env, handler, provider.fqn, Phase.REQUEST)
    if isinstance(provider, (External, Member, Instance)):
        return frozenset((s.taint(Strength.IDENTITY, "credential"),))  # a library's dependency reads the request
    return NOTHING


def _enter_dependency(s: State, handler: Frame, function: FunctionValue, receiver: Atom | None, marker: Call) -> Value:
    frame = s.frame(function.info, function.env, receiver, Phase.REQUEST, ("dependency",))
    if handler not in frame.callers:
        frame.callers[handler] = marker
    frame.dependents[handler] = frame.dependents.get(handler, 0) | handler.bit
    if frame.rounds == 0 and not frame.running:
        _fill_parameters(s, frame, function, receiver, _DEPENDENCY)
        execute.visit(s, frame)
    return frame.returns
