"""CAREFUL. Resumes from a state file, and checks it: what it intends is written before the call, and looked for."""

from remember import BODY, call, named, remember, remembered

state = remembered("state") or {"intended": None}
if state["intended"] is None:
    state = {"intended": "web-1"}
    remember("state", state)
if not named(state["intended"]):
    call("POST", "/v1/instances", BODY)
