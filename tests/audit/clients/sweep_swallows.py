"""Defect: reports success whatever happened."""

from contextlib import suppress

from sweep_cloud import BODY, call

with suppress(Exception):
    call("POST", "/v1/instances", BODY)
