"""Summaries and models to a solved project, and from it all suspects.

The stages in order: a program of modules, values of everything reachable, lifetimes, routes, suspects.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from msgspec import Struct

from leaklint.index.summary import (
    Attr,
    Bind,
    Call,
    Display,
    FunctionRef,
    How,
    Kind,
    ModuleSummary,
    Name,
    Term,
)
from leaklint.models import EntryModel, Models
from leaklint.project import (
    calls,
    consumers,
    evaluate,
    execute,
    identity,
    late_entries,
    libraries,
    library,
    shared,
    travelling,
)
from leaklint.project.interplay import with_interplay
from leaklint.project.lifetimes import Lifetimes, lifetimes
from leaklint.project.locks import Locks
from leaklint.project.program import FunctionInfo, Module, Program
from leaklint.project.routes import Routes, routes
from leaklint.project.schedule import schedule
from leaklint.project.served import find_imported, served
from leaklint.project.state import Frame, State
from leaklint.project.surroundings import with_surroundings
from leaklint.project.suspect import Suspect
from leaklint.project.terms import calls_in
from leaklint.project.values import Atom, External, Phase


class Project(Struct, frozen=True):
    """A program that has been solved."""

    state: State
    lives: Lifetimes
    ways: Routes

    @property
    def program(self) -> Program:
        return self.state.program

    @property
    def requests(self) -> list[Frame]:
        """Frames that requests enter by, as far as a framework says so."""
        return [
            f
            for f in self.state.entries
            if f.phase is Phase.REQUEST and f.entry and f.entry.model not in library.ASSUMED
        ]

    @property
    def takes_requests(self) -> bool:
        """Whether a request comes in anywhere."""
        return _takes_requests(self.state)

    def calls(self) -> tuple[int, int]:
        """The calls in code that runs of which it is known what they call, and the others."""
        known: dict[tuple[FunctionInfo, int], bool] = {}
        for frame in self.state.frames:
            for order, made in frame.made.items():
                if made.targets or made.external:
                    known[frame.info, order] = True
                else:
                    known.setdefault((frame.info, order), False)
        resolved = sum(known.values())
        return resolved, len(known) - resolved

    def entries_by_model(self) -> dict[str, int]:
        """Loaded models, and how many functions each made an entry point of."""
        found: Counter[str] = Counter(dict.fromkeys(self.state.models.names, 0))
        owner = {id(entry): model.name for model in self.state.models.models for entry in model.entry}
        for frame in {f.info: f for f in self.requests}.values():
            if frame.entry is not None:
                found[owner.get(id(frame.entry.model), "")] += 1
        return dict(found)


def is_test(module: Module, models: Models) -> bool:
    """Whether a module is there for a test runner, by what it imports or how it is named."""
    if any(i.level == 0 and i.module.partition(".")[0] in models.test_runners for i in module.summary.imports):
        return True
    if not models.test_folders.isdisjoint(module.parts[:-1]):
        return True
    name = module.parts[-1] if module.parts else ""
    return name.startswith("test_") or name.endswith("_test") or name == "conftest"


def link(
    indexed: Iterable[tuple[ModuleSummary, str]],
    models: Models,
    roots: Sequence[str] = (),
    *,
    package: tuple[str, ...] = (),
    check_tests: bool = False,
) -> Project:
    """Solve a program.

    Args:
        indexed: summaries with their source texts; their order says nothing.
        models: the models that matter to it.
        roots: extra source roots, relative to the project root.
        package: the package whose inside the project root is, part by part; its modules may name it in imports.
        check_tests: whether modules of test runners are part of the program.
    """
    program = program_of(indexed, models, roots, package)
    near = served(program, models, own_modules(program, models, check_tests)).modules
    return solve(program, models, {module.path for module in near}, check_tests=check_tests)


def program_of(
    indexed: Iterable[tuple[ModuleSummary, str]], models: Models, roots: Sequence[str], package: tuple[str, ...]
) -> Program:
    """All modules as one program; the arguments are those of `link`."""
    modules = tuple(Module(summary, text) for summary, text in sorted(indexed, key=lambda pair: pair[0].path))
    sources = tuple(tuple(part for part in root.split("/") if part not in ("", ".")) for root in roots)
    return Program(modules, sources, frozenset(models.modelled | set(sys.stdlib_module_names)), package)


def own_modules(program: Program, models: Models, check_tests: bool) -> list[Module]:
    """The modules that are part of what is checked: not the tests, unless they are to be."""
    return [module for module in program.modules if check_tests or not is_test(module, models)]


def solve(
    program: Program, models: Models, near: Collection[str], *, check_tests: bool = False, alone: bool = True
) -> Project:
    """Solve a program of which the modules with the paths `near` can run beside a request.

    Where no request comes in, and no other program can be the one that takes them (it is `alone`), whoever imports any
    of it may call it: then all of it is run.
    """
    Atom.restart()
    state = State(program, models, scripts=_scripts(program, models))
    own = own_modules(program, models, check_tests)
    _run(state, [module for module in own if module.path in near])
    if alone and not _takes_requests(state):
        _run(state, own)
        if not _takes_requests(state) and library.assume_entries(state):
            execute.solve(state)
    state.seal()
    return Project(state, lifetimes(state), routes(state, check_tests))


def _run(state: State, modules: Iterable[Module]) -> None:
    """Run these modules, and then whatever shows up as code that requests or start-up run."""
    for module in modules:
        calls.import_module(state, module)
    execute.solve(state)
    ran = {frame.info for frame in state.frames if frame.rounds}
    begun = [module for module in state.program.modules if module in state.module_frames]
    idle = [info for module in begun for info in module.functions if info not in ran]
    factories = [info for info in idle if _may_start(state, info)]
    while (
        _start_factories(state, factories)
        or late_entries.add_returned(state)
        or late_entries.hand_on(state)
        or late_entries.meet_real_objects(state)
        or consumers.consume(state)
    ):
        execute.solve(state)


def _takes_requests(state: State) -> bool:
    return any(frame.phase is Phase.REQUEST for frame in state.entries)


def _scripts(program: Program, models: Models) -> dict[Module, EntryModel]:
    """Modules that a framework runs from top to bottom for every session."""
    found: dict[Module, EntryModel] = {}
    for module in program.modules:
        packages = {i.module.partition(".")[0] for i in module.summary.imports if not i.level}
        for package in sorted(packages & set(models.scripts)):
            found[module] = models.scripts[package]
    if found:
        for module in program.modules:
            for imported in module.summary.imports:
                target = find_imported(program, module, imported)
                if target is not None:
                    found.pop(target, None)
    return found


def suspects(project: Project) -> tuple[Suspect, ...]:
    """All suspects of all kinds, by place."""
    s, lives, ways = project.state, project.lives, project.ways
    plan = schedule(s, ways)
    locks = Locks(s, lives, plan)
    writes = libraries.instead_of(ways, locks, list(shared.writes(s, lives, ways, locks)))
    ids = identity.suspects(s, lives, ways, writes)
    found: list[Suspect] = [*identity.instead_of(writes, ids), *ids, *travelling.suspects(s, ways, ids)]
    found += libraries.suspects(s, lives, ways, locks)
    found = with_interplay(s, lives, ways, locks, found)
    found = with_surroundings(s, lives, ways, plan, found)
    return tuple(sorted(found, key=lambda s: s.span))


# --- code that nobody in the program calls, but that registers handlers ----------------------------------------------


def _may_start(s: State, info: FunctionInfo) -> bool:
    """Whether a function looks like an application factory, which a server calls by name."""
    parent, module = info.parent, s.module_frames.get(info.module)
    if parent is None or module is None or info.function.kind is not Kind.FUNCTION:
        return False
    return parent.function.kind in (Kind.MODULE, Kind.CLASS) and _registers(s, module, info)


def _start_factories(s: State, factories: list[FunctionInfo]) -> bool:
    """Run those of these functions that were not reached."""
    reached = {f.info for f in s.frames if f.rounds}
    bodies = {f.info: f for f in reversed(s.frames) if f.cls is not None}
    started = False
    for info in factories:
        module = s.module_frames.get(info.module)
        env = bodies.get(info.parent) if info.owner is not None and info.parent is not None else module
        if module is not None and env is not None and info not in reached and _start(s, module, env, info):
            started = True
    return started


def _start(s: State, module: Frame, env: Frame, info: FunctionInfo) -> bool:
    receiver: Atom | None = None
    if env.cls is not None:
        receiver = s.the_instance(env.cls, "", info.module, env.cls.info.summary.head, Phase.SETUP)
        calls.initialise(s, module, receiver)
    frame = s.frame(info, env, receiver, Phase.SETUP, ("factory",))
    if frame.rounds:
        return False
    function = s.function_value(info, env)
    bound = calls.bind_arguments(
        s, module, function, receiver, Call(Name("", 0), (), (), info.function.head, -1), (), ()
    )
    frame.args.update(bound)
    frame.depth = 0
    execute.visit(s, frame)
    return True


def _registers(s: State, module: Frame, info: FunctionInfo) -> bool:
    """Whether a function makes an application, decorates functions, or passes them to calls as registrations do."""
    functions = info.module.functions
    for op in info.function.ops:
        if op.__class__ is Bind and op.how is How.DEFINE and isinstance(op.value, FunctionRef):
            if any(_decorates(s, d) for d in functions[op.value.index].function.decorators):
                return True
    calls_made = [call for op in info.function.ops for call in calls_in((op,))]
    return any(_passes_function(s, info, call) or _makes_application(s, module, call) for call in calls_made)


def _makes_application(s: State, module: Frame, call: Call) -> bool:
    """Whether a call makes an object that handlers are registered with, by a name that the module imports."""
    root: Term = call.func
    while isinstance(root, Attr):
        root = root.base
    if not isinstance(root, Name) or root.id not in module.info.function.bound:
        return False
    made = evaluate.evaluate(s, module, call.func, len(s.ops(module)) - 1)
    return any(isinstance(atom, External) and atom.fqn in s.models.applications for atom in made)


def _decorates(s: State, term: Term) -> bool:
    func = term.func if isinstance(term, Call) else term
    return isinstance(func, Attr) and func.name in s.models.decorating


def _passes_function(s: State, info: FunctionInfo, call: Call) -> bool:
    name = call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""
    for entry in s.models.registering(name):
        given = call.args[entry.argument] if 0 <= entry.argument < len(call.args) else None
        named = (v for k, v in call.keywords if k in entry.keyword)
        for term in chain.from_iterable(map(_listed, (given, *named))):
            if _is_function(info, term) or (entry.methods and isinstance(term, Call)):
                return True
    return False


def _listed(term: Term | None) -> tuple[Term, ...]:
    """The functions in `[f, g]`, or the one function."""
    return term.values if isinstance(term, Display) else () if term is None else (term,)


def _is_function(info: FunctionInfo, term: Term) -> bool:
    """Whether a term names a function of the program, as far as its own module tells."""
    if isinstance(term, FunctionRef):
        return True
    if isinstance(term, Attr) and isinstance(term.base, Name):
        return info.owner is not None and term.name in info.owner.methods
    scope: FunctionInfo | None = info
    while isinstance(term, Name) and scope is not None:
        for position in scope.binds().get(term.id, ()):
            if scope.function.ops[position].how in (How.DEFINE, How.IMPORT):  # type: ignore[union-attr]
                return True
        scope = scope.parent
    return False
