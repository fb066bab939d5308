"""Schemathesis against a running server: all of its checks and phases, from one seed. `-s` shows its summary.

It runs as a process of its own, as its users run it, so that its plugin and its warnings stay apart from ours.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cnx_mock import MockServer
from cnx_mock.services import operation_names
from cnx_mock.settings import Settings

pytestmark = [pytest.mark.judge, pytest.mark.slow]

SEED = 4269
EXAMPLES = 4
"""For every operation and phase; the examples and the boundary values of every field come on top."""

WORLD = {
    "world": {"rate_limit": "1000000000/min", "balance": "$1000000000.00"},  # so that it gets past 429 and 403
    "provisioning": {"polls": 1},
}

# Every check is on. Two things are told to it:
#
# - Where values come from that no schema names: regions and images are data, ids are made by the server.
# - That these operations may refuse what fits their schema: each has a field that must name something which exists, or
#   that depends on another. What they say then is judged by schemathesis_checks.py.
BOUND_BEYOND_THE_SCHEMA = (
    "create_instance",  # region and image must exist, the image must fit the plan's disk
    "create_snapshot",  # the instance must exist, and have come up
    "create_firewall",  # the instances must exist; ports and protocol go together; networks are canonical
    "replace_firewall",  # the same
    "create_load_balancer",  # regions and instances must exist; ports are used once; udp goes to udp
    "replace_load_balancer",  # the same
    "get_billing_reports",  # end follows start; the time zone must exist
)
CONFIG = f"""
[dictionaries]
regions = {{ values = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"] }}
images = {{ values = ["ubuntu-22.04-lts", "ubuntu-24.04-lts", "debian-12", "debian-13", "rocky-9"] }}
zones = {{ values = ["UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"] }}
networks = {{ values = ["10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0"] }}
instances = {{ values = INSTANCES }}

[parameters]
"body.region" = {{ dictionary = "regions", probability = 0.9 }}
"body.regions[*]" = {{ dictionary = "regions", probability = 0.9 }}
"body.image" = {{ dictionary = "images", probability = 0.9 }}
"body.rules[*].cidrs[*]" = {{ dictionary = "networks", probability = 0.9 }}
"body.instance_id" = {{ dictionary = "instances", probability = 0.9 }}
"body.instance_ids[*]" = {{ dictionary = "instances", probability = 0.9 }}
"query.timezone" = {{ dictionary = "zones", probability = 0.9 }}

[[operations]]
include-operation-id = {json.dumps(BOUND_BEYOND_THE_SCHEMA)}
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404"]
"""


@dataclass(frozen=True)
class Verdict:
    """Schemathesis' exit status, what it prints, and the operations of which a call succeeded."""

    status: int
    text: str
    reached: set[str]


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    tmp_path = tmp_path_factory.mktemp("schemathesis")
    with MockServer(WORLD, settings=Settings(port=0, journal_size=1_000_000)) as server:
        sandbox = server.sandbox()
        instances = [sandbox.instances.add(name=f"web-{number}", status="running")["id"] for number in range(20)]
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.replace("INSTANCES", json.dumps(instances)))
        command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
        done = subprocess.run(
            [
                *command,
                *("--config-file", str(config), "run", f"{server.url}/openapi.json", "--url", server.url),
                *("--header", f"Authorization: Bearer {sandbox.api_key}"),
                *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--mode", "all"),
                *("--seed", str(SEED), "--max-examples", str(EXAMPLES), "--generation-database", "none"),
                *("--continue-on-failure", "--no-shrink", "--no-color"),
            ],
            check=False,
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))},
                "SCHEMATHESIS_HOOKS": "schemathesis_checks",
                "PYTHONPATH": str(Path(__file__).parent),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=100,
        )
        reached = {each.operation for each in sandbox.requests if each.operation and each.status and each.status < 300}
    return Verdict(done.returncode, done.stdout, reached)


def test_no_check_fails(verdict: Verdict) -> None:
    short = re.sub(r"(?m)^(.{1000}).+", r"\1 …", verdict.text)
    sys.stdout.write("\n" + short[max(0, short.find("= SUMMARY =") - 35) :])
    assert verdict.status == 0, short[-20_000:]


def test_every_operation_was_reached(verdict: Verdict) -> None:
    """A judge that is refused everywhere finds nothing wrong: some call of every operation has to succeed."""
    assert operation_names() - verdict.reached == set()
