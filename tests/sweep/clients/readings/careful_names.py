"""CAREFUL. Each instance has a name of its own, and is known by its id."""

from plain import BODY, call

for number in (1, 2):
    _, made = call("POST", "/v1/instances", {**BODY, "name": f"web-{number}"})
    call("GET", f"/v1/instances/{made['id']}")
