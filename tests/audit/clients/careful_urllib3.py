"""CAREFUL. urllib3's own Retry: for reading and deleting only, exponential with jitter, Retry-After obeyed. A create is
sent once a look: urllib3 never repeats it."""

import json
import os
import time
from typing import Any

import urllib3
from urllib3.util import Retry

BODY = {"name": "queue-1", "plan": "starter", "region": "us-west-2", "image": "rocky-9"}


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    retry = Retry(
        total=5,
        backoff_factor=base,
        backoff_jitter=base,
        status_forcelist=[429, 500, 502, 503, 504],
        allowed_methods=["GET", "DELETE"],
        respect_retry_after_header=True,
    )
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib3.PoolManager(retries=retry, headers=headers, timeout=max(0.5, 20 * base)) as pool:

        def read(path: str) -> Any:
            for attempt in range(4):  # a body that is cut or broken is no status that urllib3 would look at
                try:
                    return json.loads(pool.request("GET", url + path).data)
                except (ValueError, urllib3.exceptions.ProtocolError):
                    time.sleep(base * 2**attempt)
            raise SystemExit(f"{path} cannot be read")

        def named(name: str) -> list[Any]:
            page, pages, found = 1, 1, []
            while page <= pages:
                answer = read(f"/v1/instances?limit=100&page={page}")
                found += [each for each in answer["data"] if each["name"] == name]
                page, pages = page + 1, answer["pagination"]["total_pages"]
            return found

        def wanted() -> Any:
            for attempt in range(6):
                there = named(BODY["name"])
                if there:
                    return there[0]
                pause = base * 2**attempt
                try:
                    answer = pool.request("POST", f"{url}/v1/instances", body=json.dumps(BODY), retries=False)
                    if answer.status == 201:
                        return json.loads(answer.data)
                    if answer.status < 500 and answer.status != 429:
                        raise SystemExit(answer.data.decode())
                    pause = max(pause, float(answer.headers.get("Retry-After", 0)))
                except (urllib3.exceptions.HTTPError, ValueError):
                    pass  # it may have happened: the next look tells
                time.sleep(pause)
            raise SystemExit("the instance cannot be created")

        one = wanted()["id"]
        while read(f"/v1/instances/{one}")["status"] == "provisioning":
            time.sleep(base * 3)
        pool.request("DELETE", f"{url}/v1/instances/{one}")


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
