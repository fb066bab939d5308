"""DEFECT duplicated: notes what it has created after the call only, and looks nowhere else."""

from remember import BODY, call, remember, remembered

if remembered("instance") is None:
    remember("instance", call("POST", "/v1/instances", BODY)["id"])
