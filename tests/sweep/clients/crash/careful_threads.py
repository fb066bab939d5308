"""CAREFUL. Two threads, each with an instance of its own, found by name before it is created."""

from concurrent.futures import ThreadPoolExecutor

from remember import BODY, call, named


def deploy(name):
    if not named(name):
        call("POST", "/v1/instances", {**BODY, "name": name})


with ThreadPoolExecutor(2) as pool:
    list(pool.map(deploy, ["web-1", "web-2"]))
