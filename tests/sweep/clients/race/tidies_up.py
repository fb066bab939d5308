"""DEFECT raced: deletes all that it finds, also what somebody else has just made."""

from shared import BODY, call, named

made = call("POST", "/v1/instances", {**BODY, "name": "tmp"})
for each in named("tmp"):
    call("DELETE", f"/v1/instances/{each['id']}")
