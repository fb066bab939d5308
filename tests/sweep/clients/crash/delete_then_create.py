"""DEFECT lost: replaces an instance by a delete and a create, and replaces nothing if it finds none."""

from remember import BODY, call, named, remember, remembered

if remembered("first") is None:  # the first deploy
    if not named("web-1"):
        call("POST", "/v1/instances", BODY)
    remember("first", True)
for old in named("web-1"):
    call("DELETE", f"/v1/instances/{old['id']}")
    call("POST", "/v1/instances", BODY)
