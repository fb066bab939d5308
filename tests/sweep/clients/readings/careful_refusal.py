"""CAREFUL. Knows a refusal by its class, and its reason by the code."""

import sys

from plain import BODY, call

status, error = call("POST", "/v1/instances", {**BODY, "name": ""})
if not 400 <= status < 500 or error["error"]["code"] != "VALIDATION_ERROR":
    sys.exit("the cloud is down")
call("POST", "/v1/instances", BODY)
