"""DEFECT raced: a lock that is looked for before it is taken."""

import sys

from shared import BODY, call, firewalls

if firewalls("lock"):
    sys.exit("somebody else deploys")
lock = call("POST", "/v1/network/firewall", {"name": "lock", "rules": []})
call("POST", "/v1/instances", BODY)
call("DELETE", f"/v1/network/firewall/{lock['id']}")
