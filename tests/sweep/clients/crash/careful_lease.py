"""CAREFUL. A lease is a firewall with a name of its own; one that a dead run has left is taken over."""

import os

from remember import BODY, Refused, call, named

LEASE = "lease-web-1-"


def leases():
    found = call("GET", "/v1/network/firewall")["data"]
    return [each for each in found if each["name"].startswith(LEASE)]


def release(lease):
    try:
        call("DELETE", f"/v1/network/firewall/{lease['id']}")
    except Refused as refusal:
        if refusal.status != 404:  # it is gone already
            raise


for stale in leases():
    release(stale)
mine = call("POST", "/v1/network/firewall", {"name": f"{LEASE}{os.getpid()}", "rules": []})
if not named("web-1"):
    call("POST", "/v1/instances", BODY)
release(mine)
