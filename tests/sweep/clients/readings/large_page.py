"""DEFECT limit-above-max: learns the largest page from a refusal."""

from plain import BODY, call

status, _ = call("GET", "/v1/instances?limit=500")
size = 100 if status >= 400 else 500
call("POST", "/v1/instances", {**BODY, "tags": [f"page-{size}"]})
