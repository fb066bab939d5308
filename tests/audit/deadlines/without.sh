#!/bin/sh
# A time limit for the connection alone.
curl -sS --connect-timeout 1 -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/plans"
