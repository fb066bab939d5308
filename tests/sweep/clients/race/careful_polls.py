"""CAREFUL. It waits for what it has made in the list of what runs, and what others look at meanwhile does not count."""

import sys
import uuid

from shared import BODY, call

made = call("POST", "/v1/instances", {**BODY, "name": f"job-{uuid.uuid4().hex[:8]}"})
looks = 1
while made["id"] not in [each["id"] for each in call("GET", "/v1/instances?status=running")["data"]]:
    looks += 1
call("DELETE", f"/v1/instances/{made['id']}")
sys.exit(f"it took {looks} looks" if looks != 2 else 0)
