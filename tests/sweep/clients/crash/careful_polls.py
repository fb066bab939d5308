"""CAREFUL. Finds by its tag what it has created, waits until it is up, and tidies up what is left of a dead run."""

import time

from remember import BODY, call, instances

TAG = "deploy-7"

mine = [each for each in instances() if TAG in each["tags"]]
for surplus in mine[1:]:
    call("DELETE", f"/v1/instances/{surplus['id']}")
instance = mine[0] if mine else call("POST", "/v1/instances", {**BODY, "tags": [TAG]})
while call("GET", f"/v1/instances/{instance['id']}")["status"] != "running":
    time.sleep(0.02)
