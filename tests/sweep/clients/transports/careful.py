"""CAREFUL. retries what may pass over a new connection, looks again after each create, and takes a 404 for deleted."""

import json
import time

from session import BODY, NO_ANSWER, ask

TRIES = 5


class Refused(Exception):
    """An error that another try does not change."""


def patiently(method, path, body=None, look=None):
    """What an answer says. `look` finds what an attempt without an answer may have made."""
    for attempt in range(TRIES):
        try:
            status, text = ask(method, path, body)
            if status < 400:
                return json.loads(text)
            if status < 500 and status != 429:
                raise Refused(status)
        except NO_ANSWER:
            pass
        time.sleep(0.06 * 2**attempt)
        if look is not None and (found := look()):
            return found[0]
    raise Refused("no answer")


def named():
    return [each for each in patiently("GET", "/v1/instances")["data"] if each["name"] == BODY["name"]]


def delete(instance):
    try:
        patiently("DELETE", f"/v1/instances/{instance['id']}")
    except Refused as refusal:
        if refusal.args != (404,):
            raise


def up(instance):
    while patiently("GET", f"/v1/instances/{instance['id']}")["status"] != "running":
        time.sleep(0.02)


made = patiently("POST", "/v1/instances", BODY, look=named)
try:
    for other in named():
        if other["id"] != made["id"]:
            delete(other)
    up(made)
except Exception:
    delete(made)
    raise
