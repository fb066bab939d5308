"""DEFECT raced: replaces an instance by a delete and a create."""

from shared import BODY, Refused, call, named

for old in named("web-1"):
    try:
        call("DELETE", f"/v1/instances/{old['id']}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
call("POST", "/v1/instances", BODY)
