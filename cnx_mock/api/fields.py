"""Types of fields that several resources share. The context of their validation is the sandbox."""

from typing import Annotated

from cnx_mock.api.declarations import AfterValidator, Field, ValidationInfo
from cnx_mock.text.suggestions import one_of
from cnx_mock.world import magic
from cnx_mock.world.account import SCOPES
from cnx_mock.world.sandbox import SandboxState

NAME_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$"


def sandbox_of(info: ValidationInfo) -> SandboxState:
    """Return the sandbox in whose context a body is validated."""
    sandbox = info.context
    assert isinstance(sandbox, SandboxState), "bodies are validated in the context of a sandbox"
    return sandbox


def _known_region(region: str, info: ValidationInfo) -> str:
    sandbox = sandbox_of(info)
    known = sandbox.catalogue.regions.ids()
    if region not in known and not (sandbox.magic and region == magic.REGION):
        raise ValueError(f"must be one of: {one_of(known, region)}")
    return region


def _known_instance(instance_id: str, info: ValidationInfo) -> str:
    if instance_id not in sandbox_of(info).instances:
        raise ValueError("is not the id of an instance")
    return instance_id


def _known_scope(scope: str) -> str:
    if scope not in SCOPES:
        raise ValueError(f"must be one of: {one_of(SCOPES, scope)}")
    return scope


def collapsed(items: list[str]) -> list[str]:
    """Return the items without repetitions, in order."""
    return list(dict.fromkeys(items))


Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=63)]
"""1 to 63 letters, digits, dots and hyphens."""

KnownScope = Annotated[str, AfterValidator(_known_scope)]
"""A permission of a key, such as `instances:read`."""

Region = Annotated[str, AfterValidator(_known_region), Field(examples=["us-east-1"])]
"""One of `/v1/regions`."""

ExistingInstance = Annotated[str, AfterValidator(_known_instance), Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
"""The id of an instance of this account."""

InstanceIds = Annotated[
    list[ExistingInstance],
    Field(max_length=1000, examples=[["inst_8f7e6d5c4b3a2f1e"]]),
    AfterValidator(collapsed),
]
"""Ids of instances of this account. Repetitions are removed."""
