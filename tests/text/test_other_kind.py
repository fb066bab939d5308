"""A scenario where a fixture belongs, and the other way round."""

from pathlib import Path

import pytest

from cnx_mock.errors import SourceError
from cnx_mock.scenario import gallery
from cnx_mock.scenario.models import ScenarioModel
from cnx_mock.services import operations
from cnx_mock.services.worlds.document import FixtureDocument
from cnx_mock.services.worlds.files import load
from cnx_mock.text.other_kind import FIXTURE, SCENARIO


def test_the_keys_are_those_that_the_other_kind_does_not_have() -> None:
    scenario, fixture = set(ScenarioModel.model_fields), set(FixtureDocument.model_fields)
    assert set(SCENARIO) == scenario - fixture
    assert set(FIXTURE) == fixture - scenario


def test_a_file_of_the_other_kind_is_told_to_be_one(tmp_path: Path) -> None:
    story, world = tmp_path / "story.yaml", tmp_path / "world.yaml"
    story.write_text("name: a\nrules: []\nbananas: 1\n")
    world.write_text("accounts: []\nrules: [{fault: {status: 500}, clock: 1}]\n")
    with pytest.raises(SourceError) as as_fixture:
        load(str(story))
    first, second = str(as_fixture.value).splitlines()
    assert first.endswith("story.yaml:2:1: 'rules' is a key of a scenario, but this is another kind of file")
    assert "unknown key 'bananas' (known: accounts," in second
    with pytest.raises(SourceError) as as_scenario:
        gallery.load(str(world), operations())
    first, second = str(as_scenario.value).splitlines()
    assert first.endswith("world.yaml:1:1: 'accounts' is a key of a fixture, but this is another kind of file")
    assert "unknown key 'clock'" in second
