"""CAREFUL. A lease: each run adds one with a name of its own, and the oldest one may go on."""

import time
import uuid

from shared import BODY, call, named

LEASE = "lease-"
mine = call("POST", "/v1/network/firewall", {"name": f"{LEASE}{uuid.uuid4().hex[:8]}", "rules": []})
try:
    while True:
        page = call("GET", "/v1/network/firewall")["data"]
        leases = [each for each in page if each["name"].startswith(LEASE)]
        if leases[0]["id"] == mine["id"]:  # a list is in order of creation
            break
        time.sleep(0.02)
    if not named("web-1"):
        call("POST", "/v1/instances", BODY)
finally:
    call("DELETE", f"/v1/network/firewall/{mine['id']}")
