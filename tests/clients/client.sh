#!/bin/sh
# curl: make an instance, read it, ask for one that is not there; print the three statuses.
set -eu
call() {
    curl -sS --max-time 20 -o "$answer" -w '%{http_code}' -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" \
        -H 'Content-Type: application/json' "$@"
}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
url="$CLOUDNEXUS_BASE_URL/v1/instances"
created=$(call "$url" -d '{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}')
id=$(sed 's/.*"id": *"\(inst_[0-9a-f]*\)".*/\1/' "$answer")
echo "$created $(call "$url/$id") $(call "$url/inst_0000000000000000")"
