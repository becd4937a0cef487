"""`python -m leaklint`."""

from leaklint.cli import main

main()
