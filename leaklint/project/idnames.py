"""Identifiers to the ids they name: which concept, and whether two of them mean one id.

The vocabulary is the models'; only the grammar of names is here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from leaklint.models import Models

_IDS = re.compile(r"(^|_)(\w*id|uuid|hash|key|token|traceparent|apikey)$")
_OF_CONTEXT = re.compile(r"_?(context_?var|ctx_?var|contextvar|context|ctx|cv|var|provider|getter|local)$")
_CHILD = frozenset(("span", "child", "sub", "parent", "step", "attempt", "retry", "new", "next", "copy", "fork"))
_WEAK = re.compile(r"^(get|fetch|read|load|current|ambient|default|active|resolve|resolved|effective|the|my|x)_")


def id_concept(models: Models, name: str) -> str:
    """The concept of the id that a name means; none for names of whole objects (`session`, `user`)."""
    concept = models.concept(name)
    return concept if concept and _is_of_id(name) else ""


@lru_cache(maxsize=10_000)
def _is_of_id(name: str) -> bool:
    return _IDS.search(plain(name)) is not None


def plain(name: str) -> str:
    """A name in lower snake case without marks around it: `X-Request-ID` is `x_request_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").strip("_")


def bare(name: str) -> str:
    """A name without what says only where its value is from: `get_current_tenant_id` is `tenant_id`."""
    name = plain(name)
    while (shorter := _WEAK.sub("", name)) != name and shorter:
        name = shorter
    return name


def same_id(one: str, other: str) -> bool:
    """Whether two names mean the same id, not only ids of one concept (`user_id` is not `target_user_id`)."""
    return bare(one).replace("_", "") == bare(other).replace("_", "")


def is_of_child(name: str) -> bool:
    """Whether a name means an id beside the one of this call: of a part of it, or of what it comes from."""
    return not _CHILD.isdisjoint(plain(name).split("_"))


def holder_concept(models: Models, name: str) -> str:
    """The concept of what a context variable holds, by the variable's name."""
    stem = plain(name)
    while (shorter := _OF_CONTEXT.sub("", stem)) != stem and shorter:
        stem = shorter
    return models.concept(stem)
