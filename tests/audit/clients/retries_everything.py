"""DEFECT futile-retry: takes every error for one that passes, also a 400."""

import os

import requests
from tenacity import RetryError, retry, stop_after_attempt, wait_exponential


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    @retry(wait=wait_exponential(multiplier=base), stop=stop_after_attempt(4))
    def create() -> None:
        body = {"name": "web-1", "plan": "gigantic", "region": "us-east-1", "image": "debian-12"}
        session.post(f"{url}/v1/instances", json=body, timeout=5).raise_for_status()

    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        try:
            create()
        except RetryError:
            return


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
