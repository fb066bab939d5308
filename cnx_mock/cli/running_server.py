"""Calls to a running server, for the commands that read or change one."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from cnx_mock.errors import ControlError, InputRefusedError, UsageError
from cnx_mock.python_api.control import TIMEOUT_SECONDS, Control

_ERRNO = re.compile(r"\[Errno -?[0-9]+\] ")
"""The number that the system gives an error; its words follow."""

Result = TypeVar("Result")


def ask(
    url: str,
    path: str,
    read: Callable[[Any], Result],
    key: str | None = None,
    seconds: float = TIMEOUT_SECONDS,
    *,
    method: str = "GET",
    body: Any = None,
) -> Result:
    """Call a path of the control plane, and return what `read` takes from the answer. The call may take this many
    seconds.

    Raises InputRefusedError if the server refuses what was sent. Raises UsageError if no server answers, if it refuses
    for another reason, and if what answers is not a cnx-mock.
    """
    control = Control(url, seconds)
    try:
        return read(control.call(method, path, key, body))
    except ConnectionError as error:
        text = _ERRNO.sub("", str(error))
        raise UsageError(f"{text}; start one with `cnx-mock serve`, or give the URL of a running one") from None
    except InputRefusedError:
        raise
    except ControlError as error:
        raise UsageError(f"the cnx-mock at {url} refuses: {error}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise UsageError(f"the server at {url} is not a cnx-mock, or it is another version") from None
    finally:
        control.close()
