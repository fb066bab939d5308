"""CAREFUL. httpx2, waits of half a fixed and half a random part ("equal jitter"), names instead of tags to find again
what may have been made."""

import os
import random
import time
from typing import Any

import httpx2

BODY = {"name": "db-1", "plan": "starter", "region": "eu-west-1", "image": "debian-12"}


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    chance = random.Random(seed)
    headers = {"Authorization": f"Bearer {key}"}
    timeout = max(0.5, 20 * base)

    def attempt(method: str, path: str, number: int, **more: Any) -> httpx2.Response | None:
        try:
            answer = client.request(method, path, **more)
        except httpx2.TransportError:
            answer = None
        if answer is None or answer.status_code >= 500 or answer.status_code == 429 or not readable(answer):
            half = base * 2**number / 2
            told = float(answer.headers.get("retry-after", 0)) if answer is not None else 0
            time.sleep(max(told, half + chance.uniform(0, half)))
            return answer if answer is not None and answer.status_code == 429 else None
        return answer

    def readable(answer: httpx2.Response) -> bool:
        try:
            return answer.json() is not None
        except ValueError:
            return False

    def insist(method: str, path: str) -> httpx2.Response:
        for number in range(5):
            answer = attempt(method, path, number)
            if answer is not None and answer.status_code != 429:
                return answer
        raise SystemExit(f"{method} {path} does not work")

    def find(name: str) -> Any:
        page = pages = 1
        while page <= pages:
            answer = insist("GET", f"/v1/instances?page={page}").json()
            for each in answer["data"]:
                if each["name"] == name:
                    return each
            page, pages = page + 1, answer["pagination"]["total_pages"]
        return None

    def create() -> Any:
        for number in range(5):
            answer = attempt("POST", "/v1/instances", number, json=BODY)
            if answer is not None and answer.status_code == 201:
                return answer.json()
            if answer is None and (made := find(BODY["name"])):
                return made
            if answer is not None and answer.status_code != 429:
                raise SystemExit(answer.text)
        raise SystemExit("the instance cannot be created")

    with httpx2.Client(base_url=url, headers=headers, timeout=timeout) as client:
        made = find(BODY["name"]) or create()
        while insist("GET", f"/v1/instances/{made['id']}").json()["status"] == "provisioning":
            time.sleep(base * 3)
        insist("DELETE", f"/v1/instances/{made['id']}")


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
