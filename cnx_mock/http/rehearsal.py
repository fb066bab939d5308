"""A call that is only rehearsed: nothing waits, and nothing is sent."""

from cnx_mock.api.parsing import BODY_LIMIT
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.pipeline import Pipeline
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.world.clock import ticks, wall_now
from cnx_mock.world.keys import test_key


async def rehearse(
    pipeline: Pipeline, tenant: Tenant, method: str, target: str, headers: RawHeaders, body: bytes
) -> JournalRecord:
    """Return the record of a call over HTTPS with this tenant's key. It goes through all stages and faults."""
    path, _, query = target.partition("?")
    key = (b"authorization", f"Bearer {test_key(tenant.key)}".encode())
    headers = [*(each for each in headers if each[0] != key[0]), key]
    read = body if len(body) <= BODY_LIMIT else None
    asked, client = pipeline.targets.find(method, path, query), ClientHead(headers)
    context = pipeline.context(asked, client, read, arrived=ticks(), wall=wall_now(), secure=True, waits=False)
    if not context.begin():
        await context.finish()
    context.count_polls()
    if context.effects.connection_fault is None:
        context.head()  # the rules that change headers fire here
    if context.journal is not None:
        context.journal.measure(context)
    return context
