"""DEFECT flat-backoff: tries again at once, five times."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        for _ in range(5):
            try:
                session.get(f"{url}/v1/plans", timeout=5).raise_for_status()
                return
            except requests.RequestException:
                continue


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
