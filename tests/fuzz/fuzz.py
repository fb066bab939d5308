"""`make fuzz`: bytes of all kinds for everything that reads what comes from outside.

    python tests/fuzz/fuzz.py --examples 2000 --seed 1 --seconds 20

Hypothesis makes the bytes, from valid inputs that it cuts, joins and changes. Where atheris is installed, it fuzzes
each target as well, led by the coverage of our code. The first input that breaks a target is shown; make a test of it.
"""

import argparse
import importlib.util
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS


class Complaints(logging.Handler):
    """Raises what would be a log line: no input may cause one."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(self.format(record))


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Return bytes for a target: seed inputs, pieces of them, and anything, one behind the other."""
    seeds = st.sampled_from(SEEDS[name])
    size = max(map(len, SEEDS[name]))
    piece = st.builds(lambda text, a, b: text[min(a, b) : max(a, b)], seeds, st.integers(0, size), st.integers(0, size))
    letters = st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.lists(st.one_of(seeds, piece, piece, st.binary(max_size=8), letters), max_size=6).map(b"".join)


def with_hypothesis(name: str, examples: int, number: int) -> int:
    """Fuzz a target. Return how many inputs it got. Raises what the target raises."""
    tried = 0
    target = TARGETS[name]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(inputs(name))
    def run(data: bytes) -> None:
        nonlocal tried
        tried += 1
        target(data)

    run()
    return tried


def with_atheris(name: str, seconds: int) -> str:
    """Fuzz a target in a process of its own. Return atheris' last line."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(SEEDS[name]):
            Path(folder, f"seed-{number}").write_bytes(text)
        command = [sys.executable, "-m", "tests.fuzz.guided", name, f"-max_total_time={seconds}", folder]
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        sys.exit(f"{name} breaks under atheris:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    done = [line for line in ended.stderr.splitlines() if line.startswith("Done ")]
    return done[-1] if done else "no inputs"


def main() -> None:
    """Fuzz every target, and print how many inputs each got."""
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all unless given")
    parser.add_argument("--examples", type=int, default=2000, help="of Hypothesis, for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=20, help="of atheris, for each target")
    given_options = parser.parse_args()
    logging.getLogger().addHandler(Complaints())
    guided = importlib.util.find_spec("atheris") is not None and given_options.seconds > 0
    for name in given_options.targets or TARGETS:
        tried = with_hypothesis(name, given_options.examples, given_options.seed)
        more = "" if not guided or name == "connect" else f"; atheris: {with_atheris(name, given_options.seconds)}"
        print(f"{name:<14}{tried:>8,} inputs of Hypothesis (seed {given_options.seed}){more}", flush=True)
    if not guided:
        print("atheris is not installed here: pip install atheris")


if __name__ == "__main__":
    main()
