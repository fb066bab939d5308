"""Requests whose head could not be read: each is put into a journal, and answered in the API's form."""

import re
from dataclasses import replace
from http import HTTPStatus

from cnx_mock.api.errors import unreadable
from cnx_mock.api.router import is_control_path
from cnx_mock.http.auth import described
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.observers import Observers
from cnx_mock.http.pages import Pages, whole_answer
from cnx_mock.http.pipeline import Pipeline, RequestContext
from cnx_mock.net.server_error import ServerError
from cnx_mock.net.unread import Unread, printable
from cnx_mock.text.regex import regex
from cnx_mock.world.clock import ticks, wall_now

_RAW_SHOWN = 4 * 1024
"""Bytes of such a request that its entry shows."""

_TARGET_SHOWN = 8 * 1024
"""Characters of its target that its entry shows."""

_KEY_LINE = regex(rb"^((?:proxy-)?authorization[ \t]*:)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
"""An Authorization header, folded or not."""


class UnreadRequests:
    """Refuses requests whose head could not be read."""

    def __init__(self, pipeline: Pipeline, observers: Observers, pages: Pages) -> None:
        self._pipeline = pipeline
        self._observers = observers
        self._pages = pages

    def refuse(self, unread: Unread) -> bytes:
        """Put a request into the journal of its key's sandbox, or into the server's own if the key is not known.
        Return the whole answer, status line included; the connection is to be closed after it."""
        refusal = unreadable(unread.status, unread.reason)
        path, _, query = printable(unread.target)[:_TARGET_SHOWN].partition("?")
        if is_control_path(path):  # never journaled
            phrase = HTTPStatus(refusal.status).phrase
            return self._pages.whole(
                ServerError(refusal.status, phrase, refusal.code, refusal.message, refusal.details)
            )
        context = self._context(unread, path, query)
        context.refuse_unread(refusal)
        answer = context.answer
        assert answer is not None, "a refusal leaves one"
        if not unread.gone:
            context.response_headers = self._pages.headers(answer, context.request_id)
        tenant = None if context.sandbox is None else context.tenant
        self._observers.complete(context, None if unread.gone else answer.status, tenant)
        sent = replace(answer, body=b"") if unread.method == b"HEAD" else answer
        return whole_answer(HTTPStatus(answer.status).phrase, sent, context.response_headers)

    def _context(self, unread: Unread, path: str, query: str) -> RequestContext:
        return self._pipeline.context(
            self._pipeline.targets.find(unread.method.decode("latin-1"), path, query),
            ClientHead(unread.headers),
            printable(_without_key(unread.raw))[:_RAW_SHOWN].encode(),
            arrived=ticks(),
            wall=wall_now(),
            connection=unread.port,
        )


def _without_key(raw: bytes) -> bytes:
    """Return the bytes of a request with its Authorization header as a journal may show it."""
    return _KEY_LINE.sub(lambda found: found[1] + b" " + described(b" ".join(found[2].split())).encode(), raw)
