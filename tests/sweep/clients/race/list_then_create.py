"""DEFECT raced: looks whether the instance is there, and creates it then."""

from shared import BODY, call, named

if not named("web-1"):
    call("POST", "/v1/instances", BODY)
