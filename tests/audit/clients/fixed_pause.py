"""DEFECT flat-backoff: always waits the same time between two attempts, as tenacity's wait_fixed does."""

import os

import httpx2
from tenacity import retry, stop_after_attempt, wait_fixed


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    @retry(wait=wait_fixed(base), stop=stop_after_attempt(7))
    def plans() -> None:
        client.get("/v1/plans").raise_for_status()

    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        plans()


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
