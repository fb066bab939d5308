"""CAREFUL. tenacity around every single request, random exponential waits; it reads, and deletes what is old."""

import os
import random
from typing import Any

import requests
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_attempt


class Passing(Exception):
    """It may work later: after `told` seconds at the earliest."""

    def __init__(self, told: float = 0) -> None:
        self.told = told


def run(url: str, key: str, base: float, seed: int | None = None) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    chance = random.Random(seed)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        told = error.told if isinstance(error, Passing) else 0
        return max(told, chance.uniform(0, min(30, base * 2 ** (state.attempt_number - 1))))

    @retry(retry=retry_if_exception_type(Passing), wait=wait, stop=stop_after_attempt(6), reraise=True)
    def ask(method: str, path: str) -> Any:
        try:
            answer = session.request(method, url + path, timeout=max(0.5, 20 * base))
            if answer.status_code == 429 or answer.status_code >= 500:
                raise Passing(float(answer.headers.get("Retry-After", 0)))
            return answer.json()
        except requests.RequestException:
            raise Passing from None

    with session:
        page, pages, old = 1, 1, []
        while page <= pages:
            answer = ask("GET", f"/v1/instances?status=stopped&limit=50&page={page}")
            old += [each["id"] for each in answer["data"]]
            page, pages = page + 1, answer["pagination"]["total_pages"]
        for each in old[:3]:
            ask("DELETE", f"/v1/instances/{each}")
        ask("GET", "/v1/billing/balance")


if __name__ == "__main__":
    run(os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"], float(os.environ.get("BASE", "0.5")))
