"""DEFECT hung: waits without end for what may never come."""

import time

from cloud import BODY, call

instance = call("POST", "/v1/instances", BODY, seconds=5)
while call("GET", f"/v1/instances/{instance['id']}", seconds=5)["status"] != "running":
    time.sleep(0.02)
