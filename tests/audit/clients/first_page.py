"""DEFECT first-page-only: stops all there is, and takes the first page for all there is."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        for each in session.get(f"{url}/v1/instances", timeout=5).json()["data"]:
            session.delete(f"{url}/v1/instances/{each['id']}", timeout=5)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
