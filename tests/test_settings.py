"""Options, declared once: help, flag, variable, and what they do not take."""

import re
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

import pytest

from cnx_mock import MockServer
from cnx_mock.errors import CnxMockError, ReadingError, SettingsError
from cnx_mock.settings import Settings, flag, foreign, variable
from tests.cases import cases
from tests.docs.declared import options

NAMES = [each.name for each in fields(Settings)]


@cases("option", fields(Settings), ids=NAMES)
def test_every_option_has_one_sentence_of_help_and_says_what_it_takes(option: Any) -> None:
    assert re.fullmatch(r"[A-Z].+\.", option.metadata["help"])
    assert bool(option.metadata["metavar"]) == (not isinstance(option.default, bool))


def test_flags_and_variables_are_spelt_from_the_name() -> None:
    assert flag("known_keys_only") == "--known-keys-only"
    assert variable("known_keys_only") == "CNX_MOCK_KNOWN_KEYS_ONLY"


@cases("name", NAMES)
def test_every_option_has_a_row(name: str) -> None:
    [row] = [line for line in options().splitlines() if f"`{variable(name)}`" in line]
    assert re.match(rf"\| (`|<code>){flag(name)}(`| )", row)


def test_the_defaults_are_good() -> None:
    assert (Settings().host, Settings().port, Settings().scenario) == ("127.0.0.1", 4269, ())


@cases(
    "good",
    [
        {"port": 0},
        {"port": 65535},
        {"seed": "random"},
        {"seed": "9" * 18},
        {"speed": 0.001},
        {"speed": 1_000_000},
        {"enterprise_limit": 1000},
        {"journal_size": 1},
        {"allow_host": ("localhost:80", "a-b.example", "10.0.0.1:8443", "[::1]:443", "2001:db8::1", "[2001:db8::1]")},
        {"surface": "documented"},
        {"provisioning": "0s"},
        {"provisioning": "1s..1s"},
        {"provisioning": "polls:0"},
        {"provisioning": "never"},
    ],
)
def test_the_ends_of_a_range_belong_to_it(good: dict[str, Any]) -> None:
    [(name, value)] = good.items()
    assert getattr(Settings(**good), name) == value


@cases(
    "bad",
    [
        {"port": -1},
        {"port": 65536},
        {"tls_port": 65536},
        {"proxy_port": -1},
        {"allow_host": ("",)},
        {"allow_host": ("good.example", "https://a.example")},
        {"allow_host": ("a.example:0",)},
        {"allow_host": ("a.example:99999",)},
        {"allow_host": ("a.example:https",)},
        {"allow_host": ("localhost",)},
        {"allow_host": ("127.0.0.1",)},
        {"allow_host": ("[::1]",)},
        {"control_host": ("a b",)},
        {"control_from": ("10.0.0.0/99",)},
        {"control_from": ("localhost",)},
        {"control_token": "short"},
        {"control_token": "with spaces within it"},
        {"speed": 0},
        {"speed": -1.0},
        {"speed": float("nan")},
        {"speed": float("inf")},
        {"speed": 1_000_001},
        {"seed": ""},
        {"seed": "-1"},
        {"seed": "1.0"},
        {"seed": "１"},
        {"seed": "9" * 19},
        {"enterprise_limit": 999},
        {"journal_size": 0},
        {"journal_size": 1_000_001},
        {"surface": "most"},
        {"provisioning": "soon"},
        {"provisioning": "5"},
        {"provisioning": "2s.."},
        {"provisioning": "9s..1x"},
    ],
)
def test_a_bad_value_is_refused_by_name(bad: dict[str, Any]) -> None:
    [name] = bad
    with pytest.raises(SettingsError, match=f"^'{flag(name)[2:]}' must be "):
        Settings(**bad)


@cases(
    ("wrong", "message"),
    [
        ({"port": "80"}, "'port' must be a whole number: write 80"),
        ({"port": "http"}, "'port' must be a whole number, not 'http'"),
        ({"port": 80.0}, "'port' must be a whole number, not 80.0"),
        ({"port": True}, "'port' must be a whole number, not True"),
        ({"port": None}, "'port' must be a whole number, not None"),
        ({"journal_size": [1]}, "'journal-size' must be a whole number, not [1]"),
        ({"seed": None}, "'seed' must be a string, not None"),
        ({"host": 1}, "'host' must be a string: write '1'"),
        ({"ca_dir": PurePosixPath("/ca")}, "'ca-dir' must be a string: write '/ca'"),
        ({"fixture": PurePosixPath("team.yaml")}, "'fixture' must be a string: write 'team.yaml'"),
        ({"surface": "x"}, "'surface' must be documented, named or all"),
        ({"surface": 3}, "'surface' must be a string: write '3'"),
        ({"scenario": "flaky-network"}, "'scenario' must be a tuple of strings: write ('flaky-network',)"),
        ({"scenario": ["calm", "brownout"]}, "'scenario' must be a tuple of strings: write ('calm', 'brownout')"),
        ({"scenario": None}, "'scenario' must be a tuple of strings, not None"),
        ({"allow_host": "x"}, "'allow-host' must be a tuple of strings: write ('x',)"),
        ({"control_host": (1,)}, "'control-host' must be a tuple of strings: write ('1',)"),
        ({"reading": "tags-match=any"}, "'reading' must be a tuple of strings: write ('tags-match=any',)"),
        ({"speed": "2"}, "'speed' must be a number, not '2'"),
        ({"speed": True}, "'speed' must be a number, not True"),
        ({"tls": 1}, "'tls' must be True or False, not 1"),
        ({"watch": "yes", "scenario": ("calm",)}, "'watch' must be True or False, not 'yes'"),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_says_what_to_write(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(**wrong)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("polls:", "'provisioning' needs a number of reads: write polls:3, not 'polls:'"),
        ("polls:-1", "'provisioning' needs a number of reads: write polls:3, not 'polls:-1'"),
        ("60s..30s", "'provisioning' must have the shorter time first, not '60s..30s'"),
        ("soon", "'provisioning' must be a time such as 2s or 30s..60s, never, or polls:3, not 'soon'"),
    ],
)
def test_a_time_of_provisioning_that_cannot_be_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings(provisioning=text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ("a", "a reading is chosen as NAME=VALUE, not 'a'"),
        ("a=b", "'a' is not a reading: see `cnx-mock readings`"),
        ("tag-match=any", "'tag-match' is not a reading, did you mean 'tags-match'?"),
        ("tags-match=ani", "'tags-match' must be one of: all, any; did you mean 'any'?"),
    ],
)
def test_a_reading_that_does_not_exist_is_an_error_at_once(reading: str, message: str) -> None:
    with pytest.raises(ReadingError) as error:
        Settings(reading=("delete-answer=204", reading))
    assert str(error.value) == message


def test_a_reading_can_be_chosen_twice_only_with_the_same_option() -> None:
    assert Settings(reading=("tags-match=any", "tags-match=any")).reading == ("tags-match=any", "tags-match=any")
    with pytest.raises(ReadingError, match="^reading 'tags-match' is chosen twice: 'any' and 'all'$"):
        Settings(reading=("tags-match=any", "tags-match=all"))


def test_a_server_cannot_be_made_with_a_wrong_option() -> None:
    with pytest.raises(CnxMockError, match="'port' must be a whole number: write 80"):
        MockServer(port="80")  # type: ignore[arg-type]


@cases(
    ("given", "tls", "proxy"),
    [
        ({}, False, False),
        ({"port": 0, "allow_host": ("a.example",)}, False, False),
        ({"tls": True}, True, False),
        ({"require_tls": True}, True, False),
        ({"tls_port": 1}, True, False),
        ({"proxy": True}, True, True),
        ({"proxy_port": 1}, True, True),
    ],
)
def test_what_cannot_be_without_https_or_a_proxy_means_them(given: dict[str, Any], tls: bool, proxy: bool) -> None:
    assert (Settings(**given).serves_tls, Settings(**given).serves_proxy) == (tls, proxy)


@pytest.mark.parametrize("value", ["tcp://10.0.0.1:4269", "udp://10.0.0.1:4269"])
def test_what_kubernetes_says_of_a_service_is_foreign(value: str) -> None:
    assert foreign({"CNX_MOCK_PORT": value, "CNX_MOCK_HOST": "::1"}) == ["CNX_MOCK_PORT"]
    assert foreign({"CNX_MOCK_TLS_PORT": value}) == ["CNX_MOCK_TLS_PORT"]
    assert foreign({"CNX_MOCK_PROXY_PORT": value}) == ["CNX_MOCK_PROXY_PORT"]


@pytest.mark.parametrize("environment", [{}, {"CNX_MOCK_PORT": "4270"}, {"CNX_MOCK_PORT": "tcp"}])
def test_what_somebody_meant_for_us_is_not(environment: dict[str, str]) -> None:
    assert foreign(environment) == []


def test_a_seed_may_be_a_number() -> None:
    assert Settings(seed=7) == Settings(seed="7")
    assert Settings(seed=7).seed == "7"
    with pytest.raises(SettingsError, match="'seed' must be a whole number or the word random"):
        Settings(seed=-7)
    for wrong in (True, 1.5):
        with pytest.raises(SettingsError, match=f"'seed' must be a string, not {wrong}$"):
            Settings(seed=wrong)  # type: ignore[arg-type]  # that is the point
