"""Sessions of the stand-in; one has one transaction, as the real ones."""

from collections.abc import Callable

from sqlalchemy import Engine


class Session:
    def __init__(self, bind: Engine) -> None:
        self._engine = bind
        self._new: list[str] = []

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add(self, row: str) -> None:
        self._new.append(row)

    def scalars(self) -> list[str]:
        return [*self._engine.rows, *self._new]

    def commit(self) -> None:
        self._engine.rows += self._new
        self._new = []

    def rollback(self) -> None:
        self._new = []

    def close(self) -> None:
        self.rollback()


def sessionmaker(bind: Engine) -> Callable[[], Session]:
    return lambda: Session(bind)
