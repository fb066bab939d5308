"""DEFECT stuck: a teardown that takes 404 for a failure, and so cannot be run again."""

from remember import BODY, call, named, remember, remembered

if remembered("instance") is None:
    for instance in named("web-1") or [call("POST", "/v1/instances", BODY)]:
        remember("instance", instance["id"])
if remembered("instance"):
    call("DELETE", f"/v1/instances/{remembered('instance')}")
    remember("instance", "")
