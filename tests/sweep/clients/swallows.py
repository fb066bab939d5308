"""DEFECT lost: reports success whatever happened."""

from contextlib import suppress

from cloud import BODY, call

with suppress(Exception):
    call("POST", "/v1/instances", BODY)
