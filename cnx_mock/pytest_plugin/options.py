"""The options of the plugin, and their values. Every pytest run imports this, so it imports nothing but pytest and the
standard library."""

from argparse import ArgumentTypeError

import pytest

_SCENARIO = "scenario for every test without its own marker"
_SEED = "seed for all random choices"
_INTERCEPT = "send requests for https://api.cloudnexus.com to the mock in every test"


def add_options(parser: pytest.Parser) -> None:
    """Declare the options of the command line and of the ini file."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-seed", type=_seed, metavar="N", help=f"{_SEED} (default: the ini option, or 0)")
    group.addoption("--cnx-scenario", metavar="NAME|PATH", help=f"{_SCENARIO} (default: the ini option)")
    group.addoption("--cnx-url", metavar="URL", help="use the running cnx-mock at this URL")
    group.addoption(
        "--cnx-sweep", action="store_true", help="run every test that uses cnx with every fault at every call"
    )
    group.addoption(
        "--cnx-sweep-faults", default="", metavar="NAMES", help="sweep with only these faults: reset-after,hang"
    )
    group.addoption(
        "--cnx-sweep-timeout",
        metavar="DURATION",
        help="time limit of a swept run (default: 3 × the test's own time + 15s)",
    )
    group.addoption(
        "--cnx-sweep-allow-partial",
        action="store_true",
        help="let a swept run that fails leave the same resources as the run without faults",
    )
    group.addoption("--cnx-sweep-readings", action="store_true", help="sweep the readings too, as --cnx-readings does")
    group.addoption(
        "--cnx-cell", metavar="NAME", help="run with only this cell of a sweep: instances.create-1-reset-after"
    )
    group.addoption(
        "--cnx-readings",
        action="store_true",
        help="run every test that uses cnx once for each other meaning of the documentation that affects its calls",
    )
    group.addoption(
        "--cnx-reading",
        action="append",
        default=[],
        metavar="NAME=OPTION",
        help="run the tests under this reading: delete-answer=204 (may be repeated)",
    )
    group.addoption("--cnx-intercept", action="store_true", help=_INTERCEPT)
    parser.addini("cnx_intercept", _INTERCEPT, type="bool", default=False)
    parser.addini("cnx_key", "API key that is fixed in your code: each test's sandbox uses it", default="")
    parser.addini("cnx_seed", _SEED, default="0")
    parser.addini("cnx_scenario", _SCENARIO, default="")
    parser.addini("cnx_scenario_dirs", "folders with scenarios that can be used by name", type="paths", default=[])


def chosen_seed(config: pytest.Config) -> int:
    """Return the seed: of the command line, else of the ini file. Raises UsageError if the ini file's is not one."""
    given: int | None = config.getoption("--cnx-seed")
    if given is not None:
        return given
    try:
        return _seed(config.getini("cnx_seed"))
    except ArgumentTypeError as error:
        raise pytest.UsageError(f"cnx_seed: {error}") from None


def chosen_scenario(config: pytest.Config) -> str:
    """Return the scenario for the whole suite: of the command line, else of the ini file; "" for none."""
    return config.getoption("--cnx-scenario") or str(config.getini("cnx_scenario"))


def chosen_readings(config: pytest.Config) -> dict[str, str]:
    """Return the readings for the whole suite: options by the names of their readings."""
    return dict(text.split("=", 1) for text in config.getoption("--cnx-reading"))


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentTypeError(f"{text!r} is not a whole number of at most 18 digits")
    return int(text)
