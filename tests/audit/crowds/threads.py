"""Six threads that make the same call, each over a new connection for every attempt."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import requests

URL = f"{os.environ['CLOUDNEXUS_BASE_URL']}/v1/plans"
HEADERS = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}"}


def plans(number: int) -> int:
    for attempt in range(6):
        try:
            answer = requests.get(URL, headers=HEADERS, timeout=5)
        except requests.RequestException:
            answer = None
        if answer is not None and answer.ok:
            return len(answer.json()["data"])
        asked = 0.0 if answer is None else float(answer.headers.get("Retry-After", 0))
        time.sleep(max(asked, random.uniform(0.5, 1) * 0.2 * 2**attempt))
    raise SystemExit(1)


with ThreadPoolExecutor(6) as pool:
    list(pool.map(plans, range(6)))
