"""An error page of a load balancer in between: the API never sees the call, or its answer never comes back."""

from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.fault import Outcome
from cnx_mock.scenario.faults.error import RETRY_AFTER_SCHEMA, read_retry_after, retry_after_header

_PAGE = """<html>
<head><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>The load balancer has no answer from the API.</p>
</body>
</html>
"""


class Gateway(Outcome):
    """`gateway: 503`, an HTML page from a load balancer in between; 502 and 504 too."""

    key: ClassVar[str] = "gateway"
    gateway: Literal[502, 503, 504]
    """The status. The answer is a small HTML page without the API's own headers: no `X-Request-Id`, and no rate limit
    headers."""
    retry_after: Annotated[Any, BeforeValidator(read_retry_after), WithJsonSchema(RETRY_AFTER_SCHEMA)] = None
    """The `Retry-After` to send, rounded up to whole seconds; `{date: 2s}` sends it as an HTTP date."""

    def replace(self, exchange: Exchange) -> None:
        """Answer with the page."""
        title = f"{self.gateway} {HTTPStatus(self.gateway).phrase}"
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        if self.retry_after is not None:
            headers.append(retry_after_header(self.retry_after))
        exchange.answer = Answer(self.gateway, headers, _PAGE.format(title=title).encode(), foreign=True)
