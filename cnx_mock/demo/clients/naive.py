"""A deploy as it is often written. It works on good days.

It sends again at once whatever fails, a create too; it does not read Retry-After, and never looks whether a create that
failed has happened. When it gives up, it leaves what it has built so far.
"""

import json
import os
import time
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from cnx_mock.demo.clients import deployment

BASE = float(os.environ.get("BASE", "0.05"))
"""The unit of all its waits, in seconds."""
TRIES = 4


def call(method: str, path: str, body: Any = None) -> Any:
    """Return the answer to a call. Whatever fails is sent again at once, and a few times at most."""
    headers = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(os.environ["CLOUDNEXUS_BASE_URL"] + path, data, headers, method=method)
    for attempt in range(TRIES):
        try:
            with urlopen(request, timeout=max(2, 40 * BASE)) as response:
                return json.load(response)
        except (HTTPException, OSError, ValueError) as error:
            if attempt == TRIES - 1:
                raise SystemExit(f"{method} {path}: {error}") from None
    return None


def create(path: str, body: Any) -> Any:
    """Create something, and look after the rest of the deploy for a moment."""
    made = call("POST", path, body)
    time.sleep(BASE)
    return made


def deploy() -> None:
    """A firewall, three instances and a load balancer; then the canary goes."""
    create("/v1/network/firewall", deployment.FIREWALL)
    made = [create("/v1/instances", deployment.instance(name)) for name in deployment.NAMES]
    for each in made:
        while call("GET", f"/v1/instances/{each['id']}")["status"] == "provisioning":
            time.sleep(2 * BASE)
    front = create("/v1/network/load-balancers", deployment.balancer(made[:-1]))
    call("GET", f"/v1/network/load-balancers/{front['id']}")
    call("DELETE", f"/v1/instances/{made[-1]['id']}")


if __name__ == "__main__":
    deploy()
