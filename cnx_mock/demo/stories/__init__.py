"""What goes wrong in a demo: its own stories, each a scenario file, or any other scenario."""

from pathlib import Path

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import UnknownScenario, UsageError
from cnx_mock.scenario import gallery
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations
from cnx_mock.text.suggestions import did_you_mean

_FOLDER = Path(__file__).parent
DEFAULT = "lost-response"
"""The story that is shown if none is named."""
STORIES = {
    "lost-response": ("reset-after", "A create without an answer may have happened: look before you send it again."),
    "thundering-429s": ("rate-limit,outage", "Retry-After says when to come back: to come back earlier is in vain."),
    "regional-outage": ("down", "An error has a code: some mean to go elsewhere, some to stop, and few to try again."),
    "credits-run-out": ("no-credits", "No retry repairs an empty account: stop, and delete the half that was built."),
}
"""The demo's own stories: the faults of a sweep that ask the same of a client, and what the story teaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What goes wrong, and what that teaches."""

    name: str
    """Its name, or the path of its file."""
    scenario: Scenario
    lesson: str = ""
    """One sentence; empty for a scenario that is not the demo's own."""
    faults: str = ""
    """The faults of the sweep to try next, with commas between them; empty for all."""

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.scenario.name.replace("-", " ")

    @property
    def description(self) -> str:
        """What goes wrong, in one sentence; empty if the scenario does not say."""
        return self.scenario.description


def read_story(name: str) -> Story:
    """Return a story of the demo, or the scenario of that name or at that path as a story.

    Raises UsageError for an unknown name, SourceError for a file that cannot be used.
    """
    if name in STORIES:
        faults, lesson = STORIES[name]
        scenario = gallery.load(str(_FOLDER / f"{name}.yaml"), operations())
        return Story(name=name, scenario=scenario, lesson=lesson, faults=faults)
    try:
        return Story(name=name, scenario=gallery.load(name, operations()))
    except UnknownScenario:
        hint = did_you_mean(name, [*STORIES, *gallery.gallery()])
        raise UsageError(
            f"no story is called {name!r}{hint} (there are {', '.join(STORIES)}, and all scenarios of the gallery; "
            "for a scenario file, write its path)"
        ) from None
