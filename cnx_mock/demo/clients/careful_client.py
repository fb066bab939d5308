"""A client for the cloud that does not make things worse, with Python's standard library alone.

It retries only temporary errors. It waits longer each time, for a random time, and at least as long as Retry-After
says. After a create with an unknown result, it looks before it creates again. It reads lists to the end, and polls
slowly.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses behind which the same request may succeed."""


class CloudError(Exception):
    """The cloud refused the call, or could not be reached; another try cannot help. The message is what it answered."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        """The error's code in the answer, such as REGION_UNAVAILABLE; empty if there is none."""


class CloudAnswer(NamedTuple):
    """An answer that has arrived as a whole."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body's JSON; None if it cannot be read."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def error(self) -> CloudError:
        """The refusal that it is."""
        found = self.json
        code = found["error"]["code"] if isinstance(found, dict) and "error" in found else ""
        return CloudError(self.body.decode("utf-8", "replace"), code)

    @property
    def wait(self) -> float:
        """How many seconds Retry-After asks to wait. It may be an HTTP date."""
        given = self.headers.get("Retry-After", "")
        if given.isdigit():
            return float(given)
        try:
            return parsedate_to_datetime(given).timestamp() - time.time()
        except ValueError:
            return 0


class CarefulClient:
    """A client of the CloudNexus API. `base` is the unit of all its waits, in seconds.

    `timeout` is for each wait for data, `deadline` for a whole call: a body that comes in pieces ends in no timeout.
    """

    def __init__(self, url: str, key: str, base: float = 0.5, attempts: int = 6, seed: int | None = None) -> None:
        self.url, self.key, self.base, self.attempts = url, key, base, attempts
        self.timeout = max(0.5, 20 * base)
        self.deadline = 2 * self.timeout
        self.chance = random.Random(seed)

    def get(self, path: str, **query: Any) -> Any:
        """Return what is at the path. A read has no effect, so every failure that may pass is tried again."""
        return self._insist("GET", f"{path}?{urlencode(query)}" if query else path)

    def delete(self, path: str) -> None:
        """Delete what is at the path. A 404 is fine: an earlier attempt has deleted it, and its answer was lost."""
        self._insist("DELETE", path, missing="is fine")

    def all(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield every item of a list, from all of its pages."""
        page, pages = 1, 1
        while page <= pages:
            answer = self.get(path, **query, limit=100, page=page)
            yield from answer["data"]
            page, pages = page + 1, answer["pagination"]["total_pages"]

    def create(self, **body: Any) -> Any:
        """Create one instance, even if answers are lost. A tag of its own tells it from all others."""
        mark = f"made-{uuid4().hex[:12]}"
        body = {**body, "tags": [*body.get("tags", ()), mark]}
        return self._create_once("/v1/instances", body, lambda: self.all("/v1/instances", tags=mark))

    def create_named(self, path: str, **body: Any) -> Any:
        """Create one firewall or load balancer, even if answers are lost. Nothing else there may have its name."""
        return self._create_once(path, body, lambda: (it for it in self.all(path) if it["name"] == body["name"]))

    def wait_until_running(self, instance_id: str, polls: int = 60) -> Any:
        """Return the instance when it runs. It takes 30 to 60 seconds, so one question every few seconds is enough.

        It was created, so a 404 comes from a read that lags behind: look again."""
        for _ in range(polls):
            instance = self._insist("GET", f"/v1/instances/{instance_id}", missing="passes")
            if instance["status"] != "provisioning":
                return instance
            time.sleep(4 * self.base)
        raise CloudError(f"{instance_id} does not come up")

    def _create_once(self, path: str, body: dict[str, Any], find: Callable[[], Iterable[Any]]) -> Any:
        for attempt in range(self.attempts):
            answer = self._ask("POST", path, body)
            if answer is not None and answer.status == 201 and (made := answer.json):
                return made
            if answer is not None and answer.status not in PASSING and answer.status != 201:
                raise answer.error
            self._wait(attempt, answer)
            if answer is None or answer.status != 429:  # it may have happened
                for made in find():
                    return made
        raise CloudError(f"{body['name']} could not be created")

    def _insist(self, method: str, path: str, missing: str = "") -> Any:
        for attempt in range(self.attempts):
            answer = self._ask(method, path)
            if answer is not None and answer.status < 300 and (method == "DELETE" or answer.json is not None):
                return answer.json
            if answer is not None and answer.status == 404 and missing == "is fine":
                return None
            passing = (*PASSING, 404) if missing == "passes" else PASSING
            if answer is not None and answer.status not in passing and answer.status >= 300:
                raise answer.error
            self._wait(attempt, answer)
        raise CloudError(f"{method} {path} failed {self.attempts} times")

    def _ask(self, method: str, path: str, body: Any = None) -> CloudAnswer | None:
        """Make one attempt. Return None if no whole answer came before the deadline."""
        end = time.monotonic() + self.deadline
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=self.timeout) as response:
                body = _body(response, end)
                return None if body is None else CloudAnswer(response.status, response.headers, body)
        except HTTPError as refusal:
            with refusal:
                return _refused(refusal, end)
        except (HTTPException, OSError):
            return None

    def _wait(self, attempt: int, answer: CloudAnswer | None) -> None:
        """Wait longer each time, at random, so that clients do not come back together; at least as long as asked."""
        own = self.chance.uniform(0, min(60, self.base * 2**attempt))
        time.sleep(max(own, 0 if answer is None else answer.wait))


def _refused(refusal: HTTPError, end: float) -> CloudAnswer | None:
    """Return a refusal as an answer; None if its body does not come."""
    try:
        body = _body(refusal, end)
    except (HTTPException, OSError):
        return None
    return None if body is None else CloudAnswer(refusal.code, refusal.headers, body)


def _body(response: Any, end: float) -> bytes | None:
    """Return the whole body; None if it has not arrived at a time of `time.monotonic`, or breaks off."""
    body = b""
    while piece := response.read1(65536):  # what is there now, and at most so much
        body += piece
        if time.monotonic() > end:
            return None
    return None if response.length else body
