"""A call that is performed twice, because a fault delivers it again."""

from collections.abc import Callable

from cnx_mock.scenario.exchange import Exchange, Performance


def perform_twice(exchange: Exchange, operate: Callable[[], None]) -> None:
    """Perform a call twice. `operate` performs it once, and leaves an answer in the exchange. The second answer stays;
    the exchange says what both times have changed."""
    done = []
    for _ in range(2):
        exchange.committed, exchange.created_id = False, None
        operate()
        assert exchange.answer is not None, "the stages leave an answer"
        done.append(Performance(exchange.answer.status, exchange.committed, exchange.created_id))
    created = [each.created_id for each in done if each.created_id is not None]
    exchange.committed = any(each.committed for each in done)
    exchange.created_id = created[-1] if created else None
    exchange.performances = done
