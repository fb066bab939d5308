"""CAREFUL. looks before it creates again, waits as it is told, gives up in time, and tidies up."""

import random
import sys
import time

from cloud import BODY, NO_ANSWER, Refused, call

TRIES = 4


def patiently(method, path, body=None):
    """A call that may be sent again."""
    for attempt in range(TRIES):
        try:
            return call(method, path, body)
        except Refused as refusal:
            if refusal.status not in (429, 500, 503) or attempt == TRIES - 1:
                raise
            pause(attempt, refusal.wait)
        except NO_ANSWER:
            if attempt == TRIES - 1:
                raise
            pause(attempt, 0)


def pause(attempt, told):
    time.sleep(max(told, 0.1 * 2**attempt * random.uniform(1, 1.5)))


def named(name):
    return [each for each in patiently("GET", "/v1/instances")["data"] if each["name"] == name]


def create():
    for attempt in range(TRIES):
        try:
            return call("POST", "/v1/instances", BODY)
        except Refused as refusal:
            if refusal.status not in (429, 500, 503):
                raise
            pause(attempt, refusal.wait)
        except NO_ANSWER:
            pause(attempt, 0)
        if found := named(BODY["name"]):
            return found[0]
    raise SystemExit("no instance, whatever was tried")


def delete(instance):
    try:
        patiently("DELETE", f"/v1/instances/{instance['id']}")
    except Refused as refusal:
        if refusal.status != 404:  # the answer to an earlier attempt was lost
            raise


def up(instance):
    for _ in range(5):
        if patiently("GET", f"/v1/instances/{instance['id']}")["status"] == "running":
            return True
        time.sleep(0.02)
    return False


instance = create()
try:
    good = up(instance)
except Exception:
    delete(instance)
    raise
if not good:
    delete(instance)
    sys.exit("it did not come up")
