"""A client of the control plane. Every handle uses it, for a server in this process or elsewhere."""

import datetime as dt
import http.client
import json
import os
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from cnx_mock.errors import ControlError, InputRefusedError, InvalidInputError, ServerNotFoundError
from cnx_mock.net.addresses import TOKEN_HEADER, is_base_url
from cnx_mock.settings import variable
from cnx_mock.text.units import format_duration

TIMEOUT_SECONDS = 30


def base_url(text: str) -> str:
    """Return the base URL of a server, without a slash at its end.

    Raises InvalidInputError if the text is not `http://`, a host and perhaps a port.
    """
    if not is_base_url(text):
        raise InvalidInputError(f"{text!r} is not a URL of a cnx-mock: write http://127.0.0.1:4269")
    return text.removesuffix("/")


class Control:
    """Calls to the control plane of one server, from any thread. Each call may take at most this many seconds."""

    def __init__(
        self, url: str, seconds: float = TIMEOUT_SECONDS, other_url: Callable[[], str | None] = lambda: None
    ) -> None:
        """`other_url` returns another URL of the server while a fault has closed its ports; None if there is none."""
        self.url = url
        self._seconds = seconds
        self._other_url = other_url
        self._address = urlsplit(url).netloc
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        path: str,
        key: str | None = None,
        body: Any = None,
        refused: type[InputRefusedError] = InputRefusedError,
    ) -> Any:
        """Return the JSON of the answer.

        The token of CNX_MOCK_CONTROL_TOKEN, if there is one, goes with every call.

        Raises ControlError if the server refuses the call: `refused`, a subclass, if it refuses what was sent. Raises
        ServerNotFoundError if no cnx-mock answers, and InvalidInputError for what cannot be sent.
        """
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if token := os.environ.get(variable("control_token"), ""):
            headers[TOKEN_HEADER] = token
        data = None if body is None else _encoded(body)
        with self._lock:
            status, text = self._exchange(method, path, data, headers)
        try:
            answer = json.loads(text)
            if status < 400:
                return answer
            error = answer["error"]
            kind = refused if error["code"] == "VALIDATION_ERROR" else ControlError
            refusal = kind(status, error["code"], error["message"], error["details"])
        except (LookupError, TypeError, ValueError):
            raise ServerNotFoundError(f"the server at {self.url} is not a cnx-mock") from None
        raise refusal

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._connection is not None:
            try:
                return self._ask(self._connection, method, path, data, headers)
            except (http.client.HTTPException, OSError, ValueError):
                self.close()  # perhaps the server has closed an idle connection: once more on a fresh one
        try:
            try:
                return self._ask_again(method, path, data, headers)
            except ConnectionRefusedError:
                other = self._other_url()
                if other is None:
                    raise
                self._address = urlsplit(other).netloc
                return self._ask_again(method, path, data, headers)
        except (http.client.InvalidURL, ValueError) as error:
            self.close()
            raise InvalidInputError(f"{method} {path!r} cannot be sent to {self.url}: {error}") from None
        except (http.client.HTTPException, OSError) as error:
            self.close()
            why = (isinstance(error, OSError) and error.strerror) or error  # without Python's "[Errno 111]"
            raise ServerNotFoundError(f"no cnx-mock answers at {self.url}: {why}") from None

    def _ask_again(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self._connection = http.client.HTTPConnection(self._address, timeout=self._seconds)
        return self._ask(self._connection, method, path, data, headers)

    @staticmethod
    def _ask(
        connection: http.client.HTTPConnection, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return response.status, response.read()


class SandboxControl:
    """Calls to the control plane for one sandbox; the handles of a sandbox share it."""

    def __init__(self, control: Control, api_key: str) -> None:
        self.url = control.url
        self._control = control
        self._api_key = api_key

    def call(
        self, method: str, path: str, body: Any = None, refused: type[InputRefusedError] = InputRefusedError
    ) -> Any:
        """Return the JSON of the answer; `path` comes after `/_mock`. Raises what `Control.call` raises."""
        return self._control.call(method, control_path(path), self._api_key, body, refused)


def control_path(path: str) -> str:
    """Return the whole path of a control call. Raises InvalidInputError for one without its first slash, and for one
    that has the prefix already."""
    if f"{path}/".startswith("/_mock/"):
        raise InvalidInputError(f"{path!r} cannot be sent: write it without /_mock, such as /clock")
    if not path.startswith("/"):
        raise InvalidInputError(f"{path!r} cannot be sent: a path begins with /, such as /clock")
    return f"/_mock{path}"


def as_duration(value: object) -> object:
    """Return a `timedelta` as the text of a duration, and anything else as it is."""
    return format_duration(value // dt.timedelta(microseconds=1)) if isinstance(value, dt.timedelta) else value


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body, default=_as_text, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:  # such as a byte of an argument that is not UTF-8
        why = f"UTF-8 has no {error.object[error.start]!a}"
    except (RecursionError, TypeError, ValueError) as error:
        why = "NaN and Infinity are not JSON" if "float" in str(error) else str(error)
    raise InvalidInputError(f"this cannot be sent as JSON: {why}")


def _as_text(value: object) -> str:
    """Return Python's durations and instants as the texts that the server reads. Raises TypeError for other types."""
    if isinstance(value, dt.timedelta):
        return str(as_duration(value))
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
