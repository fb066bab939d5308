"""A check of our own for schemathesis, which loads it through SCHEMATHESIS_HOOKS. Pytest never loads it.

Schemathesis expects that data which fits the schema is accepted. But a rule about existing resources, or about two
fields together, cannot be expressed in a schema, and data that breaks it is refused. This check reads the reasons of
these refusals: any other reason means that the schema allows too much.
"""

import re

import schemathesis
from schemathesis import Case, Response

NO_SCHEMA_SAYS = re.compile(
    r"""is\ not\ the\ id\ of\ an\ instance                       # existing resources
    |   must\ be\ an\ image\ id\ .*
    |   must\ be\ one\ of:\ us-east-1,.*                           # … the regions are data
    |   must\ be\ the\ name\ of\ an\ IANA\ time\ zone.*
    |   inst_[0-9a-f]{16}\ is\ in\ [a-z0-9-]+,\ which\ is\ not\ one\ of\ the\ load\ balancer's\ regions
    |   needs\ a\ plan\ with\ at\ least\ \d+\ GB\ of\ disk
    |   is\ not\ canonical:\ .*                                    # its spelling
    |   must\ be\ an\ IPv4\ or\ IPv6\ network\ .*
    |   must\ be\ a\ port\ from\ 1\ to\ 65535\ .*
    |   must\ be\ in\ the\ years\ 1970\ to\ 9998
    |   mock-.*|.*\breserved\b.*
    |   must\ be\ an\ integer                                      # 1.0 is one to JSON Schema, and not to the contract
    |   must\ be\ null\ for\ (icmp|any|tcp)                        # two fields together
    |   must\ name\ each\ region\ once                              # a dictionary of values knows no uniqueItems
    |   port\ \d+\ is\ used\ twice
    |   must\ be\ udp\ if\ entry_protocol\ is\ udp,\ and\ only\ then
    |   must\ be\ below\ interval_seconds,\ \d+
    |   must\ be\ after\ start:.*
    |   must\ be\ at\ most\ 366\ days\ after\ start
    """,
    re.VERBOSE,
)


@schemathesis.check
def refused_only_for_what_no_schema_says(ctx: object, response: Response, case: Case) -> None:
    """Check that a 400 for data that fits the schema is about existing resources, or about two fields together."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    error = response.json()["error"]
    if error["code"] == "VALIDATION_ERROR":
        said = [f"{field} {words}" for field, words in error["details"].items() if not NO_SCHEMA_SAYS.fullmatch(words)]
        assert not said, f"a schema could say this: {said}"
    else:
        assert error["code"] == "INVALID_STATE", f"{error['code']} for data that fits the schema"
