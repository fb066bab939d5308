#!/bin/sh
# DEFECT blind-create: curl's --retry-all-errors, which sends a POST again as well.
curl -sS --retry 3 --retry-all-errors "$CLOUDNEXUS_BASE_URL/v1/instances" \
    -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" -H 'Content-Type: application/json' \
    -d '{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12"}'
