"""How the command says what the user can mend: a line on stderr, exit status 2, never a traceback."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from cnx_mock.errors import CnxMockError, SourceError

BAD = 2
"""Exit status for what the user can mend."""


def refuse(message: str) -> NoReturn:
    """Say so and leave."""
    click.echo(f"cnx-mock: {message}", err=True)
    sys.exit(BAD)


def complaint(action: Callable[[], Any]) -> tuple[Any, str | None]:
    """What the action gives, and None; or None, and what the user can mend, in words."""
    try:
        return action(), None
    except SourceError as error:
        return None, error.excerpt()
    except BrokenPipeError:
        raise  # nobody listens: click ends quietly
    except CnxMockError as error:
        return None, f"cnx-mock: {error}"
    except OSError as error:
        return None, f"cnx-mock: {error.strerror or error}"


def usable(action: Callable[[], Any]) -> Any:
    """What the action gives; what the user can mend ends the program."""
    result, wrong = complaint(action)
    if wrong is not None:
        click.echo(wrong, err=True)
        sys.exit(BAD)
    return result
