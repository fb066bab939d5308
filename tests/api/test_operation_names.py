"""An operation that does not exist: the hint says which is meant, however people write it."""

from cnx_mock.api.operation_names import no_operation
from cnx_mock.services import operations
from tests.cases import cases


@cases(
    ("written", "hint"),
    [
        ("instances.creat", ", did you mean 'instances.create'?"),
        ("POST /v1/instances", ", did you mean 'instances.create'?"),
        ("delete /v1/instances/inst_04fd93cf90d52889?force=1", ", did you mean 'instances.delete'?"),
        ("GET /v1/instances/{id}", ", did you mean 'instances.get'?"),
        ("/v1/plans", ", did you mean 'plans.list'?"),
        ("/v1/instances", " (/v1/instances has instances.list, instances.create)"),
        ("PUT /v1/instances", " (/v1/instances has instances.list, instances.create)"),
        ("/v2/instances", " (`cnx-mock routes` lists them)"),
        ("create_instance", ", did you mean 'instances.create'?"),
        ("createInstance", ", did you mean 'instances.create'?"),
    ],
)
def test_what_is_meant_is_named(written: str, hint: str) -> None:
    assert no_operation(written, operations()) == f"no operation is called {written!r}{hint}"
