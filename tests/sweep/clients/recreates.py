"""DEFECT duplicated: creates again after a lost answer, without a look whether it had happened."""

from cloud import BODY, NO_ANSWER, call

try:
    call("POST", "/v1/instances", BODY)
except NO_ANSWER:
    call("POST", "/v1/instances", BODY)
