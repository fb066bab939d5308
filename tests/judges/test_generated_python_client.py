"""A Python client that a generator makes from the document alone does real work, without changes by hand."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest

from cnx_mock import Sandbox
from cnx_mock.http import reference
from cnx_mock.services import operations

pytestmark = [pytest.mark.judge, pytest.mark.slow]

CALLS = ("create_instance", "list_instances", "get_instance", "delete_instance")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the generated package, which can be imported."""
    folder = tmp_path_factory.mktemp("python-client")
    (folder / "openapi.json").write_text(json.dumps(reference.document("all", {}, ["/"])))
    (folder / "config.yml").write_text("post_hooks: []\n")  # they would only format it
    subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"),
            *("--config", "config.yml", "--meta", "none", "--output-path", "generated_cnx_client", "--fail-on-warning"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "generated_cnx_client"


def test_it_creates_lists_pages_and_deletes(package: str, sandbox: Sandbox) -> None:
    client, models, api = (import_module(f"{package}{name}") for name in (".client", ".models", ".api.instances"))
    call = {name: import_module(f"{api.__name__}.{name}") for name in CALLS}
    with client.AuthenticatedClient(sandbox.url, sandbox.api_key, raise_on_unexpected_status=True) as connected:
        ids = []
        for number in range(5):
            body = models.InstanceCreate(
                name=f"web-{number}",
                plan=models.InstancePlan.PRO,
                region="us-east-1",
                image="ubuntu-22.04-lts",
                tags=["web", "production"],
            )
            made = call["create_instance"].sync(client=connected, body=body)
            assert isinstance(made, models.Instance)
            assert made.status is models.InstanceStatus.PROVISIONING
            assert made.ipv4 is None
            ids.append(made.id)

        pages = [call["list_instances"].sync(client=connected, page=page, limit=2) for page in (1, 2, 3)]
        assert [[each.id for each in page.data] for page in pages] == [ids[:2], ids[2:4], ids[4:]]
        assert {page.pagination.total_pages for page in pages} == {3}
        tagged = call["list_instances"].sync(client=connected, tags=["production", "web"])
        assert tagged.pagination.total == 5
        assert call["list_instances"].sync(client=connected, tags=["production", "db"]).pagination.total == 0

        sandbox.clock.advance("61s")
        detail = call["get_instance"].sync(ids[0], client=connected)
        assert isinstance(detail, models.InstanceDetail)
        assert (detail.status, detail.specs.vcpus) == (models.InstanceStatus.RUNNING, 4)
        assert detail.metrics.cpu.utilization_percent >= 0

        assert call["delete_instance"].sync(ids[0], client=connected).deleted is True
        gone = call["get_instance"].sync_detailed(ids[0], client=connected)
        assert gone.status_code == 404
        assert isinstance(gone.parsed, models.ApiError)
        assert (gone.parsed.error.code, gone.parsed.error.details["id"]) == ("NOT_FOUND", ids[0])
        assert call["list_instances"].sync(client=connected).pagination.total == 4


def test_every_operation_has_a_method(package: str) -> None:
    """A generator warns of an operation that it does not understand, and leaves it out."""
    found = {operation.operation_id: operation.resource.name for operation in operations()}
    modules: dict[str, ModuleType] = {
        name: import_module(f"{package}.api.{resource}.{name}") for name, resource in found.items()
    }
    assert [name for name, module in modules.items() if not callable(getattr(module, "sync", None))] == []
