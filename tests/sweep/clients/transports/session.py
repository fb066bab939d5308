"""What these clients have in common: one connection that is kept, over HTTP or HTTPS."""

import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

BODY = {"name": "web-1", "plan": "starter", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
NO_ANSWER = (OSError, http.client.HTTPException, ValueError)
"""What comes where no answer does, or none that can be read; an OSError too if TLS fails."""
SECONDS = 1

_ADDRESS = urlsplit(os.environ["CLOUDNEXUS_BASE_URL"])
_KIND = http.client.HTTPSConnection if _ADDRESS.scheme == "https" else http.client.HTTPConnection
_kept: Any = _KIND(str(_ADDRESS.hostname), _ADDRESS.port, timeout=SECONDS)


def ask(method: str, path: str, body: Any = None) -> tuple[int, str]:
    """The status and the text of an answer. Raises one of NO_ANSWER; the next call then opens a connection."""
    try:
        data = None if body is None else json.dumps(body)
        _kept.request(method, path, data, {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"})
        response = _kept.getresponse()
        return response.status, response.read().decode()
    except NO_ANSWER:
        _kept.close()
        raise


def call(method: str, path: str, body: Any = None) -> Any:
    """What the answer says. Raises SystemExit for an error, or one of NO_ANSWER."""
    status, text = ask(method, path, body)
    if status >= 400:
        raise SystemExit(f"status {status}")
    return json.loads(text)
