"""A call that arrives over a connection that has died while it was idle: it is lost."""

from cnx_mock.api import errors
from cnx_mock.http.loading import WorldLoading
from cnx_mock.http.pipeline import TO_THE_SANDBOX, RequestContext
from cnx_mock.scenario.ruling import Ruling


def lose(context: RequestContext, cause: tuple[str, str]) -> None:
    """Put a call into the journal of its key's sandbox, and do nothing else with it: no rule is asked, and it is not
    counted. `cause` is the id and the fault of the rule that made the connection die."""
    try:
        for stage in TO_THE_SANDBOX:
            stage(context)
    except (errors.ApiError, WorldLoading):
        pass  # it gets no answer anyway
    pipeline = context.pipeline
    if not context.request_id:
        context.request_id = pipeline.chance.new_id("req")
        pipeline.tenants.journal.open(context)
    context.ruling = Ruling((), applied=[cause])
