"""CAREFUL. The reference: a client for the cloud that does not make things worse.

It retries what may pass and nothing else, waits longer each time, at random, and at least as long as it is told; after
a create whose fate it does not know it looks before it creates again; it reads lists to the end, polls slowly, and
leaves nothing behind. The client itself comes with the package: it is the one of `cnx-mock demo`.
"""

import os
from contextlib import ExitStack

from cnx_mock.demo.clients.careful_client import CarefulClient


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    """Two instances up, all there is counted, and down again."""
    client = CarefulClient(url, key, base, seed=seed)
    with ExitStack() as stack:
        made = []
        for name in ("web-1", "web-2"):
            made.append(client.create(name=name, plan="pro", region="us-east-1", image="ubuntu-22.04-lts")["id"])
            stack.callback(client.delete, f"/v1/instances/{made[-1]}")  # each of them, also if another delete fails
        for each in made:
            client.wait_until_running(each)
        list(client.all("/v1/instances"))


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
