"""DEFECT raced: moves a name in two steps, and takes every firewall with the old name for its own."""

from shared import Refused, call

found = call("GET", "/v1/network/firewall")["data"]
if not any(each["name"] == "web-new" for each in found):
    call("POST", "/v1/network/firewall", {"name": "web-new", "rules": []})
    for old in [each for each in found if each["name"] == "web"]:
        try:
            call("DELETE", f"/v1/network/firewall/{old['id']}")
        except Refused as refused:
            if refused.status != 404:
                raise
