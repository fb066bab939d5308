"""DEFECT leaked: one connection for everything, and no other one if that is lost."""

from session import BODY, call

made = call("POST", "/v1/instances", BODY)
call("GET", f"/v1/instances/{made['id']}")
call("GET", "/v1/plans")
