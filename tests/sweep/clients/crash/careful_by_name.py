"""CAREFUL. Looks for its instance by name before it creates one."""

from remember import BODY, call, named

if not named("web-1"):
    call("POST", "/v1/instances", BODY)
