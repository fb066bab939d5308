"""DEFECT leaked: what it made for the while stays where a later step fails."""

from cloud import BODY, call

instance = call("POST", "/v1/instances", BODY)
call("GET", "/v1/billing/balance")
call("DELETE", f"/v1/instances/{instance['id']}")
