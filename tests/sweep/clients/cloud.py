"""What the clients of the sweep's tests have in common: one call, once, with a time limit."""

import http.client
import json
import os
import time
from email.utils import parsedate_to_datetime
from typing import Any

BODY = {"name": "web-1", "plan": "starter", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
SECONDS = 0.4  # less than the half second between the pieces of a body that drips


class Refused(Exception):
    """An answer that says no: `status`, and the seconds of its Retry-After."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(f"status {status}")
        self.status, self.wait = status, wait


NO_ANSWER = (OSError, http.client.HTTPException, ValueError)
"""What comes where no answer does, or none that can be read."""


def asked(given: str | None) -> float:
    """How many seconds a Retry-After asks to wait; it may be an HTTP date."""
    if given is None or given.isdigit():
        return float(given or 0)
    return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())


def call(method: str, path: str, body: Any = None, seconds: float = SECONDS) -> Any:
    """What the answer says. Raises Refused, or one of NO_ANSWER."""
    address = os.environ["CLOUDNEXUS_BASE_URL"].removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=seconds)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"})
        response = connection.getresponse()
        text = response.read()
        if response.status >= 400:
            raise Refused(response.status, asked(response.getheader("Retry-After")))
        return json.loads(text) if text else None
    finally:
        connection.close()
