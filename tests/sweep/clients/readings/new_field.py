"""DEFECT unknown-body-field: tries a new field, and does without it if it is refused."""

from plain import BODY, call

status, _ = call("POST", "/v1/instances", {**BODY, "labels": {"team": "web"}})
if status >= 400:
    call("POST", "/v1/instances", {**BODY, "tags": ["team-web"]})
