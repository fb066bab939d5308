"""DEFECT early-retry: backs off nicely, by its own measure only, whatever Retry-After says."""

import os
import time

import httpx2


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        for attempt in range(5):
            if client.get("/v1/plans").status_code != 429:
                return
            time.sleep(base * 2**attempt)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
