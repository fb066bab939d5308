"""The file that `cnx-mock scenarios new` writes."""

import re

from cnx_mock.errors import UsageError
from cnx_mock.text.source import read

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

EXPLAIN = "--age 90s --every 1s -n 5 --request 'GET /v1/instances'"
"""The options of `cnx-mock scenarios explain` that show the new scenario's rule in its phase `slow`."""

_TEXT = """\
# yaml-language-server: $schema=cnx-scenario.schema.json
# (write that file with `cnx-mock scenarios schema > cnx-scenario.schema.json`: your editor then completes and explains)
name: {name}
description: Creates fail twice; a minute later reads get slow, and everything recovers.

world:
  balance: "$100.00"

provisioning:
  instance: 30s

phases:
  - {{name: healthy, for: 1m}}
  - {{name: slow, for: 2m}}
  - {{name: recovered}}

rules:
  - id: create-fails-twice
    match: {{operation: instances.create}}
    times: 2
    fault: {{error: INTERNAL_ERROR, retry_after: 1s}}

  - id: slow-reads
    match: {{method: GET}}
    when: {{phase: slow}}
    probability: 0.5
    fault: {{latency: [200ms, 800ms]}}
"""


def template(name: str) -> str:
    """Return the text of a new scenario's file. Raises UsageError for a name that a scenario cannot have."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a scenario: begin with a letter or a digit, and use at most 100 letters, "
            "digits, dots, hyphens and underscores"
        )
    return _TEXT.format(name=name if read(name, "name").data == name else f'"{name}"')
