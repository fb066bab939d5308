"""DEFECT amplification: urllib3 tries four times, and tenacity around it three: twelve requests for one."""

import os

import urllib3
from tenacity import RetryError, retry, stop_after_attempt, wait_exponential
from urllib3.util import Retry


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    inner = Retry(total=3, backoff_factor=base / 4, status_forcelist=[500])

    @retry(wait=wait_exponential(multiplier=4 * base), stop=stop_after_attempt(3))
    def balance() -> None:
        pool.request("GET", f"{url}/v1/billing/balance")

    with urllib3.PoolManager(retries=inner, headers={"Authorization": f"Bearer {key}"}) as pool:
        try:
            balance()
        except RetryError:
            return


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
