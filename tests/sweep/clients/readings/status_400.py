"""DEFECT validation-status: 400 means that a name is refused, and everything else that the cloud is down."""

import sys

from plain import BODY, call

status, _ = call("POST", "/v1/instances", {**BODY, "name": ""})
if status != 400:
    sys.exit("the cloud is down")
call("POST", "/v1/instances", BODY)
