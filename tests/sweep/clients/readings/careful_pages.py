"""CAREFUL. Asks for pages of an allowed size, and counts what it gets."""

from plain import call

status, _ = call("GET", "/v1/plans?limit=100")
assert status == 200
