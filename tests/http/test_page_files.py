"""How the files of the live page are sent: each with its type and a strict policy, to this machine only."""

import asyncio
import re

import httpx
import pytest

from cnx_mock import MockServer, Settings, create_app, dashboard
from cnx_mock.http.static_files import media_type
from tests.cases import cases
from tests.conftest import Client
from tests.http.test_docs_page import POLICY


@pytest.fixture
def visitor(server: MockServer) -> Client:
    return Client(server.url)


def test_every_file_of_the_folder_is_sent_as_it_is(visitor: Client) -> None:
    paths = [each for each in dashboard.STATIC.rglob("*") if each.is_file()]
    assert dashboard.STATIC / "index.html" in paths
    for path in paths:
        reply = visitor.get(f"/_mock/ui/{path.relative_to(dashboard.STATIC).as_posix()}")
        assert (reply.status, reply.body) == (200, path.read_bytes())
        assert reply.headers["content-type"] == media_type(path)


def test_the_page_is_at_the_root_of_the_control_plane(visitor: Client) -> None:
    reply = visitor.get("/_mock/")
    assert reply.body == (dashboard.STATIC / "index.html").read_bytes()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert set(reply.headers["content-security-policy"].split("; ")) == POLICY
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in reply.headers


def test_the_page_has_an_icon(visitor: Client) -> None:
    [link] = re.findall(r'<link rel="icon" href="([^"]+)"', visitor.get("/_mock/").body.decode())
    reply = visitor.get(link)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/svg+xml")


def test_the_root_without_a_slash_stays_json_and_names_the_page(visitor: Client) -> None:
    index = visitor.get("/_mock").json
    assert (index["page"], index["events"]) == ("/_mock/", "/_mock/events")
    assert visitor.get(index["page"]).status == 200


@cases(
    ("name", "expected"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_each_kind_of_file_has_its_type(name: str, expected: str) -> None:
    assert media_type(dashboard.STATIC / name) == expected


def test_a_browser_that_has_a_file_gets_no_second_one(visitor: Client) -> None:
    first = visitor.get("/_mock/")
    assert first.headers["cache-control"] == "no-cache"
    again = visitor.get("/_mock/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_head_is_answered_without_a_body(visitor: Client) -> None:
    reply = visitor.call("HEAD", "/_mock/")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["content-length"]) == len(visitor.get("/_mock/").body)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(visitor: Client, method: str) -> None:
    reply = visitor.call(method, "/_mock/")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path", ["/_mock/ui/", "/_mock/ui/nothing.js", "/_mock/ui/../__init__.py", "/_mock/ui/%2e%2e/__init__.py"]
)
def test_nothing_beside_the_folder_is_sent(visitor: Client, path: str) -> None:
    reply = visitor.get(path)
    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_a_browser_reads_why_it_gets_no_page(visitor: Client) -> None:
    headers = {"Host": "mock.example:8080", "Accept": "text/html,application/xhtml+xml"}
    reply = visitor.get("/_mock/", headers=headers)
    assert (reply.status, reply.headers["content-type"]) == (403, "text/html; charset=utf-8")
    text = reply.body.decode()
    assert "does not answer to this host name" in text
    assert "--control-host" in text
    assert '<a href="http://127.0.0.1:8080/_mock/">' in text


def test_a_program_reads_it_as_json(visitor: Client) -> None:
    reply = visitor.get("/_mock/ui/index.html", headers={"Host": "mock.example"})
    assert (reply.status, reply.error["code"]) == (403, "CONTROL_HOST_REFUSED")


@pytest.mark.parametrize(("peer", "status"), [("127.0.0.1", 200), ("192.0.2.7", 403)])
def test_another_machine_gets_no_page_and_this_one_needs_no_token(peer: str, status: int) -> None:
    app = create_app(Settings(control_token="0123456789abcdef"))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(peer, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4269") as browser:
            return await browser.get("/_mock/")

    assert asyncio.run(ask()).status_code == status
