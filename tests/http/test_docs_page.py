"""The page at /docs as it is sent: from here alone, nothing inline, everything vendored as recorded."""

import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import cnx_mock
from cnx_mock import MockServer
from cnx_mock.world.keys import EXAMPLE_KEY

STATIC = Path(cnx_mock.__file__).parent / "http" / "docs" / "static"
VENDORED = STATIC / "swagger-ui"

SERVED = {
    "/docs": "text/html; charset=utf-8",
    "/docs/": "text/html; charset=utf-8",
    "/docs/init.js": "text/javascript; charset=utf-8",
    "/docs/page.css": "text/css; charset=utf-8",
    "/docs/favicon.svg": "image/svg+xml",
    "/docs/swagger-ui/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui/swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
    "/docs/swagger-ui/LICENSE": "text/plain; charset=utf-8",
    "/docs/swagger-ui/NOTICE": "text/plain; charset=utf-8",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


class Markup(HTMLParser):
    """What a page refers to, and what stands inline in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.inline: list[str] = []
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        for name, value in attrs:
            if name in ("src", "href"):
                self.references.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._tag in ("script", "style") and data.strip():
            self.inline.append(f"{self._tag}: {data}")


@pytest.fixture
def visitor(server: MockServer, client: Any) -> Any:
    """A client without a key: the page is open."""
    return client(server.url)


@pytest.mark.parametrize(("path", "media_type"), SERVED.items())
def test_every_file_is_sent_with_its_type_and_a_strict_policy(visitor: Any, path: str, media_type: str) -> None:
    reply = visitor.get(path)
    assert reply.status == 200
    assert reply.body
    assert reply.headers["content-type"] == media_type
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["date"].endswith(" GMT")
    assert reply.headers["server"] == f"cnx-mock/{cnx_mock.__version__}"
    assert set(reply.headers["content-security-policy"].split("; ")) == POLICY


@pytest.mark.parametrize("path", SERVED)
def test_a_browser_that_has_the_file_is_not_sent_it_again(visitor: Any, path: str) -> None:
    first = visitor.call("HEAD", path)
    again = visitor.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status, first.body, first.headers["cache-control"]) == (200, b"", "no-cache")
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_the_page_refers_to_this_server_only_and_has_nothing_inline(visitor: Any) -> None:
    markup = Markup(visitor.get("/docs").body.decode())
    assert markup.inline == []
    assert {"/docs/init.js", "/docs/swagger-ui/swagger-ui-bundle.js"} <= set(markup.references)
    for reference in markup.references:
        assert re.match(r"/[^/]", reference), "an address on another server"
        assert visitor.get(reference).status == 200


def test_the_page_says_what_it_is_not(visitor: Any) -> None:
    assert "a local sandbox, not the cloud" in visitor.get("/docs").body.decode()


def test_the_ready_key_is_the_one_that_serve_greets_with() -> None:
    assert f'"{EXAMPLE_KEY}"' in (STATIC / "init.js").read_text(encoding="utf-8")


def test_nothing_else_is_served(visitor: Any) -> None:
    for path in ("/docs/swagger-ui/VENDORED.md", "/docs/__init__.py", "/docs/../app.py", "/docs/swagger-ui.css.map"):
        assert visitor.get(path).status == 401, "a call to the API, and one without a key"
    refused = visitor.post("/docs")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_the_welcome_names_the_page(visitor: Any) -> None:
    assert visitor.get("/").json["docs"] == "/docs"


def test_the_vendored_files_are_those_recorded() -> None:
    record = (VENDORED / "VENDORED.md").read_text(encoding="utf-8")
    recorded = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", record, flags=re.MULTILINE))
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDORED.iterdir()}
    del there["VENDORED.md"]
    assert there == recorded
    [version] = re.findall(r"^# swagger-ui-dist (\S+)$", record, flags=re.MULTILINE)
    bundle = (VENDORED / "swagger-ui-bundle.js").read_text(encoding="utf-8")
    assert f'PACKAGE_VERSION:"{version}"' in bundle


def test_the_licence_is_kept() -> None:
    assert "Apache License" in (VENDORED / "LICENSE").read_text(encoding="utf-8")
    assert "SmartBear" in (VENDORED / "NOTICE").read_text(encoding="utf-8")


def test_nothing_asks_for_a_source_map() -> None:
    for path in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css")]:
        assert "sourceMappingURL" not in path.read_text(encoding="utf-8"), path.name
