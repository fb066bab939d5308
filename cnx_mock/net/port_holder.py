"""Who has a port that is in use: another cnx-mock, another server, or something that does not speak HTTP."""

import json
import socket
from contextlib import suppress

from cnx_mock.errors import ListenError
from cnx_mock.text.regex import regex
from cnx_mock.world.clock import SECOND, ticks

_PATIENCE = SECOND
"""How long the holder may take to answer."""
_LIMIT = 1 << 16
"""The most bytes of its answer."""
_REQUEST = b"GET /_mock/health HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_OURS = regex(r"cnx-mock/([\w.+-]{1,50})")


def with_holder(error: ListenError) -> ListenError:
    """Return the error; if it is about a port that is in use, with a sentence about what answers there. Takes about a
    second at most."""
    if error.place is None:
        return error
    explained = ListenError(error.errno, f"{error}; {_described(_answer(error.place))}")
    explained.place = error.place
    return explained


def _answer(place: tuple[str, int]) -> bytes:
    """Return what a server answers to a question for its health; empty if it does not answer in time."""
    answer = b""
    end = ticks() + _PATIENCE
    with suppress(OSError), socket.create_connection(place, timeout=_PATIENCE / SECOND) as connection:
        connection.sendall(_REQUEST)
        while len(answer) < _LIMIT and (left := end - ticks()) > 0:
            connection.settimeout(left / SECOND)
            if not (data := connection.recv(_LIMIT)):
                break
            answer += data
    return answer


def _described(answer: bytes) -> str:
    """Return who answered, for a sentence."""
    if not answer.startswith(b"HTTP/"):
        return (
            "the program that uses it does not answer as an HTTP server"
            if answer
            else "the program that uses it does not answer"
        )
    head, _, body = answer.partition(b"\r\n\r\n")
    server = _header(head, "server")
    version = _version(body) or ((ours := _OURS.fullmatch(server)) and ours[1])
    if version:
        return f"a cnx-mock {version} answers there"
    return f"{server or 'another HTTP server'} answers there, not a cnx-mock"


def _header(head: bytes, name: str) -> str:
    """Return the printable value of a header, at most 60 characters of it; empty if there is none."""
    for line in head.decode("latin-1").splitlines()[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return "".join(each for each in value.strip() if each.isascii() and each.isprintable())[:60]
    return ""


def _version(body: bytes) -> str:
    """Return the version in a cnx-mock's answer; empty if this is not one."""
    try:
        health = json.loads(body)
    except (RecursionError, ValueError):
        return ""
    ours = isinstance(health, dict) and health.get("status") == "ok" and "sandboxes" in health
    found = _OURS.fullmatch(f"cnx-mock/{health.get('version')}") if ours else None
    return found[1] if found else ""
