"""A refusal for people: the page that a browser shows if it may not use the live page."""

from html import escape

from cnx_mock.http.control.guard import PAGE, PROTECTION
from cnx_mock.http.pages import PageAnswer
from cnx_mock.net.server_error import ServerError
from cnx_mock.scenario.request import RawHeaders


def wants_html(headers: RawHeaders) -> bool:
    """Return whether a browser asks on behalf of a person: programs accept anything, and say nothing of HTML."""
    return any(name == b"accept" and b"text/html" in value for name, value in headers)


def refused_page(problem: ServerError, port: str) -> PageAnswer:
    """Return the refusal as HTML, with the address that this machine may use on this port."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in problem.details.items())
    address = f"http://127.0.0.1{port}{PAGE}"
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{problem.status} {problem.phrase}</title>'
        f"<h1>{problem.status} {problem.phrase}</h1><p>{escape(problem.message)}</p><dl>{rows}</dl>"
        f'<p>On the machine of the server, open <a href="{address}">{address}</a>.</p></html>\n'
    ).encode()
    content = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    return PageAnswer(problem.status, [*content, (b"cache-control", b"no-store"), *PROTECTION], body)
