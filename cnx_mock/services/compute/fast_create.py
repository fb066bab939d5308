"""Creates on the fast path: no pydantic, no general encoder, no body or answer between the request and the
record. It saves two thirds of the time of a create, and half of the memory that it keeps.

It takes a create only if nothing about it is special, and then does what the stages of the operation and its handler
do. `tests/services/test_fast_create.py` compares both: the answers, and the worlds that they leave.
"""

from typing import Any

from cnx_mock.api.fields import NAME_PATTERN, collapsed
from cnx_mock.api.operation import FastCreate
from cnx_mock.api.readings import INSTANCE_NAMES
from cnx_mock.services.compute.instance_body import TAG_PATTERN
from cnx_mock.services.compute.instance_fields import fields_of, ipv6, metered_form
from cnx_mock.text.regex import regex
from cnx_mock.text.tight_json import tight_json
from cnx_mock.text.units import format_instant
from cnx_mock.world import magic
from cnx_mock.world.account import MINIMUM_BALANCE
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.lifecycle import Lifecycle, ProvisioningRule
from cnx_mock.world.records import InstanceRecord, PlanRecord
from cnx_mock.world.sandbox import SandboxState

_NAME = regex(NAME_PATTERN)
_TAG = regex(TAG_PATTERN)

_MOST_TAGS = 50
_MOST_LISTS = 1000
"""The lists of tags that one server remembers."""

_Tags = tuple[tuple[str, ...], str]
"""Tags without repetitions, and their JSON."""

_NO_TAGS: _Tags = (), "[]"

_Asked = tuple[str, "_Form", tuple[str, ...], str]
"""What a body asks for: a name, a form, the tags, and their JSON."""


class _Form:
    """What instances with the same plan, region and image have in common."""

    __slots__ = ("image", "json", "metered", "plan", "region")

    def __init__(self, plan: PlanRecord, region: str, image: str) -> None:
        self.plan, self.region, self.image = plan, region, image
        self.metered = metered_form(plan.id)
        """The form of its description in the statement."""
        self.json = _json_form(plan, region, image)
        """The answer, with `%s` in place of what differs."""


def _json_form(plan: PlanRecord, region: str, image: str) -> str:
    """Return the answer for a fresh instance, with `%s` in place of its id, name, tags, address and two instants."""
    lifecycle = Lifecycle(ends=None, polls_left=None, then="running")
    record = InstanceRecord(
        id="0" * 16, number=1, name="", plan=plan, region=region, image=image, created=0, updated=0, lifecycle=lifecycle
    )
    given = dict.fromkeys(("id", "name", "tags", "ipv6", "created_at", "updated_at"), "<given>")
    fields = fields_of(record, "provisioning", 0) | given
    text = tight_json(fields).decode().replace("%", "%%").replace('"<given>"', '"%s"')
    return text.replace('"tags":"%s"', '"tags":%s')


class _Known:
    """What one server remembers of the creates that it has answered."""

    __slots__ = ("forms", "rule", "tags")

    def __init__(self) -> None:
        self.forms: dict[tuple[str, str, str], _Form] = {}
        """By plan, region and image. There are no more than the catalogue has."""
        self.tags: dict[tuple[str, ...], _Tags] = {}
        """Lists of tags as they came: each without repetitions, and its JSON. Records with the same tags share them."""

        self.rule: ProvisioningRule | None = None
        """The last rule that was found to be a plain one."""

    def form(self, catalogue: Catalogue, plan: str, region: str, image: str) -> _Form | None:
        """Return a form for the first time; None if there is no such instance, or if the model has to judge."""
        found = catalogue.plans.get(plan)
        if found is None or (plan, image) not in catalogue.bootable or region not in catalogue.region_ids:
            return None
        form = self.forms[plan, region, image] = _Form(found, region, image)
        return form

    def judge(self, given: tuple[Any, ...]) -> _Tags | None:
        """Return what there is to know of tags that come for the first time; None if the model has to judge them."""
        if len(given) > _MOST_TAGS or not all(type(each) is str and _TAG.fullmatch(each) for each in given):
            return None
        if len(self.tags) >= _MOST_LISTS:
            self.tags.clear()
        tags = tuple(collapsed(list(given)))
        known = self.tags[given] = tags, tight_json(tags).decode()
        return known


def _make(sandbox: SandboxState, asked: _Asked, now: int) -> tuple[str, str] | None:
    """Create an instance if nothing about the sandbox is special, and return its id and the answer's JSON. Return None,
    and do nothing, if the stages have to judge."""
    known, rule = sandbox.catalogue.known, sandbox.provisioning["instance"]
    if "instances" in sandbox.account.quotas or INSTANCE_NAMES.name in sandbox.readings:
        return None
    if rule is not known.rule:
        if not rule.is_plain:
            return None
        known.rule = rule
    if sandbox.next_provisioning is not None or not sandbox.ledger.has(MINIMUM_BALANCE, now):
        return None
    name, form, tags, tags_json = asked
    chance, plan = sandbox.chance, form.plan
    number = chance.count("inst")
    new_id = chance.new_id("inst", number)
    lifecycle = Lifecycle(rule.drawn(chance, now, new_id), None, "running")
    sandbox.instances.add(
        InstanceRecord.begun(new_id, number, name, plan, form.region, form.image, tags, now, lifecycle)
    )
    sandbox.ledger.open(new_id, name, plan.hourly_cents, now, form.metered)
    created = format_instant(now)
    return new_id, form.json % (new_id, name, tags_json, ipv6(new_id[5:]), created, created)


def _remembering(catalogue: Catalogue) -> _Known:
    catalogue.known = known = _Known()
    return known


def _read(catalogue: Catalogue, body: bytes, data: Any) -> _Asked | None:
    """Return what a body asks for; None if the model has to judge. `data` is what orjson reads in the body."""
    known: _Known = catalogue.known or _remembering(catalogue)
    try:
        name, plan, region, image = data["name"], data["plan"], data["region"], data["image"]
        form = known.forms.get((plan, region, image)) or known.form(catalogue, plan, region, image)
        if form is None or _NAME.fullmatch(name) is None or name.startswith(magic.PREFIX):
            return None
        tags: _Tags | None = _NO_TAGS
        if "tags" not in data:
            strings = 8
        elif type(data["tags"]) is list:
            given = tuple(data["tags"])
            strings, tags = 9 + len(given), known.tags.get(given) or known.judge(given)
        else:
            return None
    except (KeyError, TypeError):  # something is missing, or of another type
        return None
    # every value is a string, and every string has its two quotes: so no name was given twice; 92 is a backslash
    if tags is None or len(data) != 4 + (strings > 8) or body.count(b'"') != 2 * strings or 92 in body:
        return None
    return name, form, *tags


FAST_CREATE = FastCreate(_read, _make)
