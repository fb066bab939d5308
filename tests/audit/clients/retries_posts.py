"""DEFECT blind-create: urllib3's Retry for every method, POST too."""

import json
import os

import urllib3
from urllib3.util import Retry


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    retry = Retry(total=4, backoff_factor=base, status_forcelist=[500, 502, 503, 504], allowed_methods=None)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12"})
    with urllib3.PoolManager(retries=retry, headers=headers) as pool:
        pool.request("POST", f"{url}/v1/instances", body=body)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
