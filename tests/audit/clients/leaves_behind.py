"""DEFECT left-behind: makes an instance for a job, and when the job fails nobody deletes it."""

import os

import httpx2

BODY = {"name": "job-1", "plan": "enterprise", "region": "us-east-1", "image": "debian-12"}


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        made = client.post("/v1/instances", json=BODY).json()
        snapshot = client.post("/v1/snapshots", json={"instance_id": made["id"]})  # too early: it still comes up
        if snapshot.status_code == 201:
            client.delete(f"/v1/instances/{made['id']}")


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
