"""CAREFUL. Each run has a name of its own, and deletes what it has made."""

import uuid

from shared import BODY, call

made = call("POST", "/v1/instances", {**BODY, "name": f"job-{uuid.uuid4().hex[:8]}"})
call("GET", f"/v1/instances/{made['id']}")
call("DELETE", f"/v1/instances/{made['id']}")
