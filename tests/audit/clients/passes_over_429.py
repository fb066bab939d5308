"""DEFECT sent-while-limited: takes a 429 for the failure of that one item, and goes on with the next."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        for number in range(8):
            body = {"name": f"web-{number}", "plan": "starter", "region": "us-east-1", "image": "debian-12"}
            session.post(f"{url}/v1/instances", json=body, timeout=5)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
