"""DEFECT leaked: takes a name for the time being, and gives the right one in a second step."""

import secrets

from remember import call

found = call("GET", "/v1/network/firewall")["data"]
if not any(each["name"] == "web" for each in found):
    made = call("POST", "/v1/network/firewall", {"name": f"tmp-{secrets.token_hex(4)}", "rules": []})
    call("PUT", f"/v1/network/firewall/{made['id']}", {"name": "web", "rules": []})
