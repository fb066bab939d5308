"""A variable that is almost an option is named."""

from dataclasses import fields

from cnx_mock.cli.variables import misspelt
from cnx_mock.programs.folders import SCRATCH
from cnx_mock.programs.marked import MARK
from cnx_mock.settings import Settings, variable


def test_a_variable_that_is_almost_one_of_ours_is_misspelt() -> None:
    known = {variable(each.name): "x" for each in fields(Settings)}
    ours = {SCRATCH: "x", MARK: "x", "_CNX_MOCK_COMPLETE": "x"}
    service = {
        f"CNX_MOCK_{each}": "x" for each in ("SERVICE_HOST", "SERVICE_PORT", "PORT_4269_TCP_PORT", "TLS_PORT_1_UDP")
    }
    others = {"CNX_MOCK_IMAGE_TAG": "x", "CNX_MOCKED_PORT": "x", "CNX_MOCK_": "x"}
    assert misspelt({**known, **ours, **service, **others}) == {}
    assert misspelt({"CNX_MOCK_SCENARIOS": "x", "CNX_MOCK_JOURNALSIZE": "x", "CNX_MOCK_sed": "x"}) == {
        "CNX_MOCK_SCENARIOS": "CNX_MOCK_SCENARIO",
        "CNX_MOCK_JOURNALSIZE": "CNX_MOCK_JOURNAL_SIZE",
        "CNX_MOCK_sed": "CNX_MOCK_SEED",
    }
