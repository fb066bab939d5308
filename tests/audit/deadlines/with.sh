#!/bin/sh
# A time limit for all of it.
curl -sS --max-time 1 -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/plans"
