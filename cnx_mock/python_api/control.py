"""A client of the control plane: what stands behind every handle, for a server in this process or anywhere else."""

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from cnx_mock.errors import ControlError

TIMEOUT_SECONDS = 30


class Control:
    """Calls to one server's control plane, from any thread; each may take so many seconds."""

    def __init__(self, url: str, seconds: float = TIMEOUT_SECONDS) -> None:
        self.url = url
        self._seconds = seconds
        self._address = urlsplit(url).netloc
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def call(self, method: str, path: str, key: str | None = None, body: Any = None) -> Any:
        """The answer's JSON. Raises ControlError for a refusal, ConnectionError where no server is."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        data = None if body is None else json.dumps(body)
        with self._lock:
            status, text = self._exchange(method, path, data, headers)
        answer = json.loads(text)
        if status >= 400:
            error = answer["error"]
            raise ControlError(status, error["code"], error["message"], error["details"])
        return answer

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, path: str, data: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._connection is not None:
            try:
                return self._ask(self._connection, method, path, data, headers)
            except (http.client.HTTPException, OSError):
                self.close()  # an idle connection that the server has closed: once more on a fresh one
        self._connection = http.client.HTTPConnection(self._address, timeout=self._seconds)
        try:
            return self._ask(self._connection, method, path, data, headers)
        except OSError as error:
            self.close()
            raise ConnectionError(f"no cnx-mock answers at {self.url}: {error}") from None

    @staticmethod
    def _ask(
        connection: http.client.HTTPConnection, method: str, path: str, data: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return response.status, response.read()
