#!/bin/sh
# DEFECT delete-answer: takes 200 for the only good answer to a DELETE.
set -e
auth="Authorization: Bearer $CLOUDNEXUS_API_KEY"
id=$(curl -sS -H "$auth" -H "Content-Type: application/json" -d '{"name": "web", "rules": []}' \
    "$CLOUDNEXUS_BASE_URL/v1/network/firewall" | sed 's/.*"id":"\([^"]*\)".*/\1/')
test "$(curl -sS -o /dev/null -w '%{http_code}' -X DELETE -H "$auth" "$CLOUDNEXUS_BASE_URL/v1/network/firewall/$id")" = 200
