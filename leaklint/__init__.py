"""leaklint finds the bugs by which one user of a Python server gets another user's data."""

__version__ = "0.1.0"
