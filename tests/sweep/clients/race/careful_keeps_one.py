"""CAREFUL. Creates first, then looks: of several with the name, only the oldest one is kept by all clients."""

from shared import BODY, Refused, call, named

found = named("web-1")
if not found:
    call("POST", "/v1/instances", BODY)
    found = named("web-1")
for surplus in sorted(found, key=lambda each: (each["created_at"], each["id"]))[1:]:
    try:
        call("DELETE", f"/v1/instances/{surplus['id']}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
