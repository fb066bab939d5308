"""DEFECT hung: waits without end for what may never come."""

import time

from cloud import BODY, call

instance = call("POST", "/v1/instances", BODY)
while call("GET", f"/v1/instances/{instance['id']}")["status"] != "running":
    time.sleep(0.02)
