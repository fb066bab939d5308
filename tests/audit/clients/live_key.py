"""DEFECT live-key: takes the key from the wrong variable, the real cloud's."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    real = key.replace("cnx_test_", "cnx_live_")
    requests.get(f"{url}/v1/plans", headers={"Authorization": f"Bearer {real}"}, timeout=5)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
