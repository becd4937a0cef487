"""The index: one module's text to its `ModuleSummary`.

Standard-library `ast` only. No I/O, no other module, no library knowledge.
"""

from leaklint.index.lower import summarise
from leaklint.index.summary import ModuleSummary

__all__ = ["ModuleSummary", "summarise"]
