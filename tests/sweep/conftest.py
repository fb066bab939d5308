"""Sweeps in this process fork their programs."""

from collections.abc import Iterator

import pytest

from cnx_mock.programs import bounded
from tests import commands


@pytest.fixture(scope="module", autouse=True)
def forked_programs() -> Iterator[None]:
    """The programs of sweeps are forks: these tests are about verdicts, and not about how a program is started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "_spawned", commands.spawn)
        yield
