#!/bin/sh
# CAREFUL. A shell script with curl: it marks what it makes with a tag, and looks for the tag before it creates again.
set -eu

base=${BASE:-0.5}
mark="deploy-$$"
answer=$(mktemp)
heads=$(mktemp)
trap 'rm -f "$answer" "$heads"' EXIT

# attempt METHOD PATH [BODY]: one call; sets $status, 000 where no answer came or none that can be read
attempt() {
    status=$(curl -sS --max-time 1.2 -X "$1" "$CLOUDNEXUS_BASE_URL$2" ${3:+--data "$3"} -o "$answer" -D "$heads" \
        -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" -H 'Content-Type: application/json' -w '%{http_code}' 2>/dev/null) ||
        status=000
    case $status in 2??) [ "$(tail -c 1 "$answer")" = '}' ] || [ ! -s "$answer" ] || status=000 ;; esac
}

passes() { case $status in 000 | 408 | 425 | 429 | 5??) return 0 ;; *) return 1 ;; esac }

# pause N: longer each time, at random, and at least as long as the last answer said
pause() {
    told=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$heads")
    sleep "$(awk -v base="$base" -v n="$1" -v told="${told:-0}" -v seed="$(od -An -N2 -tu2 /dev/urandom)" \
        'BEGIN { srand(seed); wait = base * 2 ^ n * (0.5 + rand() / 2); print (wait > told ? wait : told) }')"
}

# insist METHOD PATH: the same until it is answered
insist() {
    for number in 0 1 2 3 4 5; do
        : >"$heads"
        attempt "$@"
        passes || return 0
        [ "$number" = 5 ] || pause "$number"
    done
    echo "$1 $2 does not work" >&2
    exit 1
}

first_id() { sed -n 's/.*"id": *"\(inst_[0-9a-f]*\)".*/\1/p' "$answer" | head -n 1; }

create() {
    for number in 0 1 2 3 4 5; do
        : >"$heads"
        attempt POST /v1/instances \
            '{"name": "batch-1", "plan": "starter", "region": "us-east-1", "image": "debian-12", "tags": ["'"$mark"'"]}'
        if [ "$status" = 201 ]; then return 0; fi
        passes || { cat "$answer" >&2; exit 1; }
        unsure=$status
        pause "$number"
        if [ "$unsure" != 429 ]; then # it may have happened
            again=$number
            insist GET "/v1/instances?tags=$mark"
            number=$again
            if [ -n "$(first_id)" ]; then return 0; fi
        fi
    done
    echo 'the instance cannot be created' >&2
    exit 1
}

create
id=$(first_id)
for _ in 1 2 3 4 5 6 7 8 9 10; do
    insist GET "/v1/instances/$id"
    grep -q '"status": *"provisioning"' "$answer" || break
    sleep "$(awk -v base="$base" 'BEGIN { print 3 * base }')"
done
insist DELETE "/v1/instances/$id"
