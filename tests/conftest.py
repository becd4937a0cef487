"""What holds for every test."""

from __future__ import annotations

import pytest

from leaklint import cache


@pytest.fixture(autouse=True)
def no_cache_is_shared(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts without anything kept, and leaves nothing in the folder that the tests are run from."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path_factory.mktemp("cache")))
