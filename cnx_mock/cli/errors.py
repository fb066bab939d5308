"""How the command says what the user can mend: a line on stderr, exit status 2, never a traceback."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

BAD = 2
"""Exit status for what the user can mend."""


class Unusable(ValueError):
    """What the user gave cannot be used; the message says why, and what would do."""


def refuse(message: str) -> NoReturn:
    """Say so and leave."""
    click.echo(f"cnx-mock: {message}", err=True)
    sys.exit(BAD)


def complaint(action: Callable[[], Any]) -> tuple[Any, str | None]:
    """What the action gives, and None; or None, and what the user can mend, in words."""
    from cnx_mock.api.readings import ReadingError
    from cnx_mock.audit.threshold import AuditError
    from cnx_mock.net.certificates import CaError
    from cnx_mock.scenario.gallery import UnknownScenario
    from cnx_mock.scenario.scenario import DocumentError
    from cnx_mock.scenario.template import BadName
    from cnx_mock.services.worlds import UnknownFixture
    from cnx_mock.settings import SettingsError
    from cnx_mock.text.findings import SourceError
    from cnx_mock.world.clock import ClockError

    try:
        return action(), None
    except SourceError as error:
        return None, error.excerpt()
    except BrokenPipeError:
        raise  # nobody listens: click ends quietly
    except OSError as error:
        return None, f"cnx-mock: {error.strerror or error}"
    except (
        AuditError,
        BadName,
        CaError,
        ClockError,
        DocumentError,
        ReadingError,
        SettingsError,
        Unusable,
        UnknownFixture,
        UnknownScenario,
    ) as error:
        return None, f"cnx-mock: {error}"


def usable(action: Callable[[], Any]) -> Any:
    """What the action gives; what the user can mend ends the program."""
    result, wrong = complaint(action)
    if wrong is not None:
        click.echo(wrong, err=True)
        sys.exit(BAD)
    return result
