#!/bin/sh
# DEFECT raced: the same in a shell.
set -e
if ! curl -sSf -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/network/firewall" | grep -q '"web"'; then
    curl -sSf -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" -H "Content-Type: application/json" \
        -d '{"name": "web", "rules": []}' "$CLOUDNEXUS_BASE_URL/v1/network/firewall" >/dev/null
fi
