"""CAREFUL. A DELETE has worked if its status says so."""

from plain import BODY, call

_, made = call("POST", "/v1/instances", BODY)
status, _ = call("DELETE", f"/v1/instances/{made['id']}")
assert status in (200, 202, 204, 404)
