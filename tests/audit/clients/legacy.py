"""DEFECT deprecated-call: still lists under the old path."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    requests.get(f"{url}/v1/instances/legacy", headers={"Authorization": f"Bearer {key}"}, timeout=5)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
