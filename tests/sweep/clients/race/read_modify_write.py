"""DEFECT raced: reads a firewall, adds a rule, and writes the whole back."""

from shared import call, firewalls

found = firewalls("web")
firewall = found[0] if found else call("POST", "/v1/network/firewall", {"name": "web", "rules": []})
now = call("GET", f"/v1/network/firewall/{firewall['id']}")
port = 8000 + len(now["rules"])
rule = {"direction": "inbound", "action": "allow", "protocol": "tcp", "ports": str(port), "cidrs": ["0.0.0.0/0"]}
call("PUT", f"/v1/network/firewall/{firewall['id']}", {"name": "web", "rules": [*now["rules"], rule]})
