"""DEFECT instance-names: a group of instances with one name."""

from plain import BODY, call

for _ in range(2):
    status, _ = call("POST", "/v1/instances", BODY)
    assert status == 201, status
