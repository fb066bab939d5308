"""DEFECT busy-poll: asks without a pause until the instance runs."""

import os

import httpx2

BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12"}


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        made = client.post("/v1/instances", json=BODY).json()
        while client.get(f"/v1/instances/{made['id']}").json()["status"] == "provisioning":
            pass


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
