"""`python -m leaklint`."""

from leaklint.cli import main

if __name__ == "__main__":  # where processes do not fork, each of them imports this module
    main()
