"""The same deploy with `CarefulClient`.

It goes to the next region if the first one takes nothing new. When it has to give up, it deletes what it has built.
"""

import os
import time
from contextlib import ExitStack
from typing import Any

from cnx_mock.demo.clients import deployment
from cnx_mock.demo.clients.careful_client import CarefulClient, CloudError

BASE = float(os.environ.get("BASE", "0.05"))
"""The unit of all its waits, in seconds."""


class Deploy:
    """One deploy; `undo` deletes what it has built."""

    def __init__(self, client: CarefulClient, undo: ExitStack) -> None:
        self._client = client
        self._undo = undo
        self._regions = [*deployment.REGIONS]

    def run(self) -> None:
        """A firewall, three instances and a load balancer; then the canary goes."""
        client = self._client
        self._made("/v1/network/firewall", client.create_named("/v1/network/firewall", **deployment.FIREWALL))
        made = [self._made("/v1/instances", self._somewhere(name)) for name in deployment.NAMES]
        for each in made:
            client.wait_until_running(each["id"])
        body = deployment.balancer(made[:-1])
        front = self._made("/v1/network/load-balancers", client.create_named("/v1/network/load-balancers", **body))
        client.get(f"/v1/network/load-balancers/{front['id']}")
        client.delete(f"/v1/instances/{made[-1]['id']}")
        self._undo.pop_all()

    def _somewhere(self, name: str) -> Any:
        """Create an instance in the best region that takes it. A region that refuses one is not asked again."""
        while True:
            try:
                return self._client.create(**deployment.instance(name, self._regions[0]))
            except CloudError as error:
                if error.code != "REGION_UNAVAILABLE" or len(self._regions) == 1:
                    raise
                del self._regions[0]

    def _made(self, path: str, made: Any) -> Any:
        """Note what is to be deleted if the deploy fails, and look after the rest of it for a moment."""
        self._undo.callback(self._client.delete, f"{path}/{made['id']}")
        time.sleep(self._client.base)
        return made


def main() -> None:
    """Deploy, or leave nothing behind and say why."""
    seed = int(os.environ.get("SEED", "0"))
    client = CarefulClient(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], BASE, seed=seed)
    client.timeout = max(client.timeout, 10)
    try:
        with ExitStack() as undo:
            Deploy(client, undo).run()
    except CloudError as error:
        raise SystemExit(f"{error.code or error}: everything that this deploy had built is deleted") from None


if __name__ == "__main__":
    main()
