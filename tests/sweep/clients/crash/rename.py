"""DEFECT duplicated: renames a firewall in two steps, and begins with the first one again."""

from remember import call, remember, remembered


def firewalls(name):
    return [each for each in call("GET", "/v1/network/firewall")["data"] if each["name"] == name]


if remembered("made") is None:
    if not firewalls("web") and not firewalls("web-new"):
        call("POST", "/v1/network/firewall", {"name": "web", "rules": []})
    remember("made", True)
for old in firewalls("web"):
    call("POST", "/v1/network/firewall", {"name": "web-new", "rules": []})
    call("DELETE", f"/v1/network/firewall/{old['id']}")
