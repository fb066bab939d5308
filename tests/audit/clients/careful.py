"""CAREFUL. The reference: a client for the cloud that does not make things worse.

It retries what may pass and nothing else, waits longer each time, at random, and at least as long as it is told; after
a create whose fate it does not know it looks before it creates again; it reads lists to the end, polls slowly, and
leaves nothing behind.
"""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self
from uuid import uuid4

import requests
import urllib3

PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses behind which the same request may succeed."""


class CloudError(Exception):
    """The cloud refused the call, or could not be reached; another try cannot help. The message is what it answered."""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    text: str


class CarefulClient:
    """A client of the CloudNexus API. `base` is the unit of all its waits, in seconds.

    `timeout` is for each wait for data, `deadline` for a whole call: a body that comes in pieces ends in no timeout.
    """

    def __init__(self, url: str, key: str, base: float = 0.5, attempts: int = 6, seed: int | None = None) -> None:
        self.url, self.base, self.attempts = url, base, attempts
        self.timeout = max(0.5, 20 * base)
        self.deadline = 2 * self.timeout
        self.chance = random.Random(seed)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what is at the path. A read has no effect, so every failure that may pass is tried again."""
        return self._insist("GET", path, params=query)

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
        for attempt in range(self.attempts):
            answer = self._ask("POST", "/v1/instances", json=body)
            if answer is not None and answer.status == 201 and (made := _json(answer)):
                return made
            if answer is not None and answer.status not in PASSING and answer.status != 201:
                raise CloudError(answer.text)
            self._wait(attempt, answer)
            if answer is None or answer.status != 429:  # it may have happened
                for made in self.all("/v1/instances", tags=mark):
                    return made
        raise CloudError(f"{body['name']} could not be created")

    def wait_until_running(self, instance_id: str, polls: int = 60) -> Any:
        """Return the instance when it runs. It takes 30 to 60 seconds, so one question every few seconds is enough.

        It was created, so a 404 comes from a read that lags behind: look again."""
        for _ in range(polls):
            instance = self._insist("GET", f"/v1/instances/{instance_id}", missing="passes")
            if instance["status"] != "provisioning":
                return instance
            time.sleep(4 * self.base)
        raise CloudError(f"{instance_id} does not come up")

    def _insist(self, method: str, path: str, missing: str = "", **more: Any) -> Any:
        for attempt in range(self.attempts):
            answer = self._ask(method, path, **more)
            if answer is not None and answer.status < 300 and (method == "DELETE" or _json(answer) is not None):
                return _json(answer)
            if answer is not None and answer.status == 404 and missing == "is fine":
                return None
            passing = (*PASSING, 404) if missing == "passes" else PASSING
            if answer is not None and answer.status not in passing and answer.status >= 300:
                raise CloudError(answer.text)
            self._wait(attempt, answer)
        raise CloudError(f"{method} {path} failed {self.attempts} times")

    def _ask(self, method: str, path: str, **more: Any) -> Answer | None:
        """Make one attempt. Return None if no whole answer came before the deadline."""
        end = time.monotonic() + self.deadline
        body = bytearray()
        try:
            with self.session.request(method, f"{self.url}{path}", timeout=self.timeout, stream=True, **more) as answer:
                while piece := answer.raw.read1(65536, decode_content=True):  # what is there, at most so much
                    body += piece
                    if time.monotonic() > end:
                        return None
        except (requests.RequestException, urllib3.exceptions.HTTPError):
            return None
        return Answer(answer.status_code, answer.headers, body.decode(errors="replace"))

    def _wait(self, attempt: int, answer: Answer | None) -> None:
        """Wait longer each time, at random, so that clients do not come back together; at least as long as asked."""
        own = self.chance.uniform(0, min(60, self.base * 2**attempt))
        time.sleep(max(own, _asked(answer)))


def _asked(answer: Answer | None) -> float:
    """Return how many seconds Retry-After asks to wait. It may be an HTTP date."""
    given = "" if answer is None else answer.headers.get("Retry-After", "")
    if given.isdigit():
        return float(given)
    try:
        return parsedate_to_datetime(given).timestamp() - time.time()
    except ValueError:
        return 0


def _json(answer: Answer) -> Any:
    """Return the answer's JSON, or None if it cannot be read."""
    try:
        return json.loads(answer.text)
    except ValueError:
        return None


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    """Two instances up, all there is counted, and down again."""
    with CarefulClient(url, key, base, seed=seed) as client, ExitStack() as stack:
        made = []
        for name in ("web-1", "web-2"):
            made.append(client.create(name=name, plan="pro", region="us-east-1", image="ubuntu-22.04-lts")["id"])
            stack.callback(client.delete, f"/v1/instances/{made[-1]}")  # each of them, also if another delete fails
        for each in made:
            client.wait_until_running(each)
        list(client.all("/v1/instances"))


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
