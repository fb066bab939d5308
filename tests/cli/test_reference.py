"""`cnx-mock openapi`: the document in a file, for generators and importers."""

import json
from typing import Any

import yaml
from click.testing import CliRunner, Result

from cnx_mock.cli.main import cli
from tests.cases import cases


def openapi(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["openapi", *arguments])


def urls(document: dict[str, Any]) -> list[str]:
    return [each["url"] for each in document["servers"]]


def test_the_printed_document_names_the_local_server() -> None:
    assert urls(json.loads(openapi().output)) == ["http://127.0.0.1:4269"]


def test_the_servers_are_chosen() -> None:
    found = openapi("--server", "http://localhost:8080/", "--server", "https://gateway.example/cloud", "--server", "/")
    assert urls(json.loads(found.output)) == ["http://localhost:8080", "https://gateway.example/cloud", "/"]


@cases(
    "url",
    [
        "localhost:4269",
        "ftp://host",
        "http://",
        "http://a b",
        "http://host:x",
        "http://{host}",
        "https://h?x=1",
        "",
        "v1",
    ],
)
def test_what_is_not_the_url_of_a_server_is_refused(url: str) -> None:
    found = openapi("--server", url)
    assert found.exit_code == 2
    assert f"{url!r} is not the URL of a server: write one like http://127.0.0.1:4269" in found.output


def test_yaml_is_the_same_document() -> None:
    printed = openapi("--format", "yaml", "--server", "http://localhost:8080").output
    assert printed.startswith("openapi: 3.1.1\n")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert yaml.load(printed, loader) == json.loads(openapi("--server", "http://localhost:8080").output)
    assert "&id" not in printed


def test_another_format_is_refused() -> None:
    assert openapi("--format", "toml").exit_code == 2
