"""Entry points of a program that no known framework runs: the public methods of objects that live as long as it.

Where a module keeps something for each thread, its public functions are entry points too, and tasks of an event loop
may wait inside its context managers. A class that is made with somebody's credentials is made once an account. One that
nobody makes, with a base of a library that nobody knows, is run by that for whoever comes. A guess,
and told as one: whoever imports the program may call these for many users. Used when there is nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

from leaklint.models import EntryModel
from leaklint.project import calls, entries, evaluate
from leaklint.project.state import Frame, State
from leaklint.project.values import (
    NOTHING,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Method,
    ModuleValue,
    Phase,
)

LIBRARY = EntryModel(label="public method", certain=False)
OFFERED = EntryModel(label="public function", concurrency="loop", certain=False)
ACCOUNT = EntryModel(label="method of a client for one account", certain=False, instance="request")
PLUGIN = EntryModel(label="method of a class that a program nobody knows runs", certain=False, instance="request")
ASSUMED = (LIBRARY, OFFERED, ACCOUNT, PLUGIN)


def assume_entries(s: State) -> bool:
    """Take public methods of objects that module-level names hold for entry points; whether there were any."""
    found = False
    used = s.made_classes
    for cls in list(s.bases):
        found = _assume_client(s, cls) or (cls.info not in used and _assume_plugin(s, cls)) or found
    for holder in list(s.heap):
        if not isinstance(holder, ModuleValue):
            continue
        frame = s.module_frames.get(holder.module)
        if frame is None:
            continue
        found = _assume_functions(s, frame, holder) or found
        for atom in [a for value in list(s.heap[holder].values()) for a in value]:
            if not isinstance(atom, Instance) or atom.cls is None or atom.phase is not Phase.SETUP:
                continue
            names = {n for cls in calls.mro(s, atom.cls)[0] for n in cls.info.methods if not n.startswith("_")}
            for name, method in _methods(s, frame, atom, names):
                label = f"public method {atom.cls.info.summary.name}.{name}"
                entries.add(s, frame, LIBRARY, label, method, atom.cls.info.summary.head)
                found = True
    return found


def _methods(s: State, frame: Frame, atom: Instance, names: Collection[str]) -> Iterator[tuple[str, Method]]:
    """Methods of an object by name, but for those behind an assignment: who sets an attribute means to."""
    for name in sorted(names):
        for method in evaluate.class_lookup(s, frame, atom, name, 0, 0, NOTHING):
            if isinstance(method, Method) and "setter" not in s.traits.get(method.function, ()):
                yield name, method


def _assume_client(s: State, cls: ClassValue) -> bool:
    """Take the public methods of a class whose objects are made with credentials, one for each account."""
    info, frame = cls.info, s.module_frames.get(cls.info.module)
    init = info.methods.get("__init__")
    if frame is None or cls.frame is not frame or init is None or info.summary.name.startswith("_"):
        return False
    if not any(s.models.concept(p.name) == "credential" for p in init.function.params):
        return False
    client = s.the_instance(cls, "", info.module, info.summary.head, Phase.REQUEST)
    names = [n for n in info.methods if not n.startswith("_") or n == "__init__"]
    for name, method in _methods(s, frame, client, names):
        entries.add(s, frame, ACCOUNT, f"method {info.summary.name}.{name}", method, info.summary.head)
    return True


def _assume_plugin(s: State, cls: ClassValue) -> bool:
    """Take the public methods of a class that nobody makes objects of, with a base of a library that nobody knows."""
    info, frame = cls.info, s.module_frames.get(cls.info.module)
    if frame is None or cls.frame is not frame or info.summary.name.startswith("_"):
        return False
    if not any(_is_foreign(s, base.fqn) for base in s.bases[cls] if isinstance(base, External)):
        return False
    plugin = s.the_instance(cls, "", info.module, info.summary.head, Phase.REQUEST)
    names = [name for name in info.methods if not name.startswith("_")]
    for name, method in _methods(s, frame, plugin, names):
        entries.add(s, frame, PLUGIN, f"method {info.summary.name}.{name}", method, info.summary.head)
    return bool(names)


def _is_foreign(s: State, name: str) -> bool:
    """Whether a class is of a package that is neither Python's own nor one of which the models speak."""
    package = name.partition(".")[0]
    return "." in name and package not in sys.stdlib_module_names and package not in s.models.modelled


def is_making(frame: Frame) -> bool:
    """Whether an entry point stands for the making of a client that was assumed: what it sets is the client's own."""
    return frame.entry is not None and frame.entry.model is ACCOUNT and frame.info.function.name == "__init__"


def _assume_functions(s: State, frame: Frame, module: ModuleValue) -> bool:
    """Take public functions of a module that keeps something for each thread for entry points."""
    held = list(s.heap[module].items())
    if not any(_is_per_thread(s, atom) for _, value in held for atom in value):
        return False
    functions = [
        (name, atom)
        for name, value in held
        for atom in value
        if isinstance(atom, FunctionValue) and atom.info.module is module.module and not name.startswith("_")
    ]
    for name, function in functions:
        is_manager = "contextmanager" in s.traits.get(function, ())
        label = f"public {'context manager' if is_manager else 'function'} {name}"
        entries.add(s, frame, OFFERED if is_manager else LIBRARY, label, function, function.info.function.head)
    return bool(functions)


def _is_per_thread(s: State, atom: Atom) -> bool:
    names = calls.mro(s, atom.cls)[1] if isinstance(atom, Instance) and atom.cls is not None else ()
    names = (atom.fqn,) if isinstance(atom, Instance) and atom.cls is None else names
    return any((kind := s.models.type(name)) is not None and kind.thread for name in names)
