"""CAREFUL. Two threads of its own, each of which makes and deletes what is its own."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from shared import call


def job(number):
    made = call("POST", "/v1/network/firewall", {"name": f"job-{number}-{uuid.uuid4().hex[:8]}", "rules": []})
    call("DELETE", f"/v1/network/firewall/{made['id']}")


with ThreadPoolExecutor(2) as pool:
    list(pool.map(job, [1, 2]))
