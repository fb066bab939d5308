"""What no documented call does with instances: add one that exists already, stop it, start it."""

from typing import Literal

from cnx_mock.api.fields import Name, Region
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing, Reply
from cnx_mock.api.validation import Declared
from cnx_mock.http.control.listings import resources
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.services.compute.instance_body import Image, InstanceCreate
from cnx_mock.services.compute.instances import InstanceDetail, detail, provision
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxState

resource = Resource("_mock.instances", "Instances, from outside.", is_control=True)


class InstanceChange(Declared):
    """What to change of an instance."""

    status: Literal["running", "stopped"]
    """Its status from now on."""


class InstanceAdd(InstanceCreate):
    """An instance that exists already: neither quota nor credits are checked, and every field has a default."""

    name: Name = "instance"
    """Instance identifier."""
    plan: Literal["starter", "pro", "enterprise"] = "starter"
    """Compute tier."""
    region: Region = "us-east-1"
    """Deployment region."""
    image: Image = "ubuntu-22.04-lts"
    """OS image ID."""
    status: Literal["provisioning", "running", "stopped"] = "running"
    """Its status."""


@resource.operation("GET", "/_mock/instances", provenance=added("tests look at what a program has left"))
def list_(target: ControlTarget) -> Listing[InstanceDetail]:
    """List every instance, oldest first. This does not count as a poll: nothing becomes ready by it."""
    return resources(target, lambda sandbox: sandbox.instances, detail)


@resource.operation("POST", "/_mock/instances", status=201, provenance=added("tests start from a world that exists"))
def add(sandbox: SandboxState, body: InstanceAdd) -> Reply | InstanceDetail:
    """Add an instance."""
    now = sandbox.now
    instance = provision(sandbox, body, now)
    if body.status != "provisioning":
        _force(sandbox, instance, body.status, now)
    return Reply(detail(sandbox, instance, now), location=f"/v1/instances/{instance.id}")


@resource.operation("PATCH", "/_mock/instances/{id}", provenance=added("no documented call stops an instance"))
def change(sandbox: SandboxState, instance: InstanceRecord, body: InstanceChange) -> InstanceDetail:
    """Set an instance's status."""
    now = sandbox.now
    _force(sandbox, instance, body.status, now)
    return detail(sandbox, instance, now)


def _force(sandbox: SandboxState, instance: InstanceRecord, status: str, now: int) -> None:
    instance.changing(now)
    if not instance.lifecycle.ready(now):
        instance.lifecycle.ends = now  # it comes up now, and nothing later changes that
    instance.forced = (status, now)
    instance.updated = now
    sandbox.polling.pop(instance.id, None)
