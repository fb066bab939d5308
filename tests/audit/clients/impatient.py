"""DEFECT blind-create: stops waiting for the answer to a create, and sends it again with a longer timeout."""

import os

import requests


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    body = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12"}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        for timeout in (5 * base, 50 * base):
            try:
                session.post(f"{url}/v1/instances", json=body, timeout=timeout)
                return
            except requests.Timeout:
                continue


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
