#!/bin/sh
# DEFECT stuck: a lock file that stays when the program is killed.
set -e
lock="$CNX_MOCK_SCRATCH/lock"
if [ -e "$lock" ]; then
    echo "another deploy is running" >&2
    exit 1
fi
touch "$lock"
curl -sSf -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/plans" >/dev/null
if ! curl -sSf -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/instances" | grep -q '"web-1"'; then
    curl -sSf -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" -H "Content-Type: application/json" \
        -d '{"name": "web-1", "plan": "starter", "region": "us-east-1", "image": "ubuntu-22.04-lts"}' \
        "$CLOUDNEXUS_BASE_URL/v1/instances" >/dev/null
fi
rm "$lock"
