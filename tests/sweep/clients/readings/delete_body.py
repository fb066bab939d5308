"""DEFECT delete-answer: wants the id back when it deletes."""

from plain import BODY, call

_, made = call("POST", "/v1/instances", BODY)
_, deleted = call("DELETE", f"/v1/instances/{made['id']}")
assert deleted["id"] == made["id"]
