"""DEFECT list-envelope: a page has its items in `data`, and says in `pagination` how many there are."""

from plain import BODY, call

_, page = call("GET", "/v1/instances")
if page["pagination"]["total"] == len(page["data"]) == 0:
    call("POST", "/v1/instances", BODY)
