"""CAREFUL. Four workers with one key, each of them a CarefulClient: what overlaps is no retry."""

import os
from concurrent.futures import ThreadPoolExecutor

from cnx_mock.demo.clients.careful_client import CarefulClient


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    def work(number: int) -> None:
        client = CarefulClient(url, key, base, seed=None if seed is None else 10 * seed + number)
        client.get("/v1/plans")
        # the same body four times: four replicas, each a wish of its own
        one = client.create(name="worker", plan="starter", region="us-east-1", image="debian-12")["id"]
        client.wait_until_running(one)
        client.delete(f"/v1/instances/{one}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
