#!/bin/sh
# Four curls in the background, each with its own retries.
for number in 1 2 3 4; do
    curl -s --retry 5 --retry-all-errors -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/plans" >/dev/null &
done
wait
