"""DEFECT lost: notes that it has created an instance before it does so."""

from remember import BODY, call, remember, remembered

if remembered("created") is None:
    remember("created", True)
    call("POST", "/v1/instances", BODY)
