"""DEFECT leaked: a DELETE that finds nothing any more is a failure, behind which everything else is left."""

from session import BODY, call

kept = call("POST", "/v1/instances", BODY)
first = call("POST", "/v1/instances", {**BODY, "name": "try-1"})
call("DELETE", f"/v1/instances/{first['id']}")
