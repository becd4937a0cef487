"""The index: one module's text to its `ModuleSummary`.

Standard-library `ast` only; syntax that it does not know yet goes by way of `leaklint.newer`. No I/O, no other module,
no library knowledge.
"""

from leaklint.index.parse import summarise
from leaklint.index.summary import Code, Head, ModuleSummary

__all__ = ["Code", "Head", "ModuleSummary", "summarise"]
