"""What the clients of this folder have in common: one call, and all that its answer says."""

import http.client
import json
import os
from typing import Any

BODY = {"name": "web-1", "plan": "starter", "region": "us-east-1", "image": "ubuntu-22.04-lts"}


def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return the status, and the JSON of the body; None without one."""
    connection = http.client.HTTPConnection(os.environ["CLOUDNEXUS_BASE_URL"].removeprefix("http://"), timeout=10)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"})
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()
