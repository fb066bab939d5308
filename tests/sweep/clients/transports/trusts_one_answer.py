"""DOUBLED. takes the answer to its create for all that there is."""

from session import BODY, call

call("POST", "/v1/instances", BODY)
