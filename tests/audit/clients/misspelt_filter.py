"""DEFECT unread-parameter: `state=` filters nothing; the parameter is called `status`."""

import os

import httpx2


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    httpx2.get(f"{url}/v1/instances", params={"state": "stopped"}, headers=headers)


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
