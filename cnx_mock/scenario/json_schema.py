"""The scenario language as a JSON Schema (2020-12), so that editors complete and explain it. It is made from the same
declarations that read a scenario."""

from collections.abc import Collection, Iterator
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.api.readings import READINGS
from cnx_mock.scenario import faults
from cnx_mock.scenario.fault import Fault
from cnx_mock.scenario.field_types import one_or_many
from cnx_mock.scenario.models import RuleSection, ScenarioSection

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(operations: Collection[Operation]) -> dict[str, Any]:
    """The schema of a scenario file; `operations` are those that rules may match."""
    whole = ScenarioSection.model_json_schema()
    rule = RuleSection.model_json_schema()
    definitions = {**whole.pop("$defs"), **rule.pop("$defs"), "RuleSection": rule, "Fault": _fault()}
    whole["properties"]["rules"]["items"] = {"$ref": "#/$defs/RuleSection"}
    fault = {"$ref": "#/$defs/Fault"}
    rule["properties"]["fault"] = {**fault, "description": rule["properties"]["fault"]["description"]}
    rule["properties"]["sequence"]["anyOf"][0]["items"] = {"anyOf": [{"const": "pass"}, fault]}
    rule["oneOf"] = [{"required": ["fault"]}, {"required": ["sequence"]}]
    definitions["PhaseSection"]["not"] = {"required": ["for", "until"]}
    _name_operations(definitions["MatchSection"]["properties"]["operation"], operations)
    definitions["WorldSection"]["properties"]["readings"] = {
        "type": "object",
        "description": definitions["WorldSection"]["properties"]["readings"]["description"],
        "properties": {each.name: {"enum": list(each.options), "description": each.why} for each in READINGS},
        "additionalProperties": False,
    }
    head = {"$schema": _DIALECT, "title": "cnx-mock scenario"}
    document: dict[str, Any] = {**head, **whole, "$defs": definitions}
    for node in _objects(document):
        _tidy(node)
        if "$ref" in node:  # pydantic leaves out words that are the definition's own
            node.setdefault("description", definitions[node["$ref"].rpartition("/")[2]]["description"])
    return {**document, **head, "description": whole["description"]}


def _fault() -> dict[str, Any]:
    """One object with the keys of every fault; keys that several faults share take what any of them takes."""
    properties: dict[str, dict[str, Any]] = {}
    for kind in faults.kinds():
        own = kind.model_json_schema()
        for name, each in _inlined(own)["properties"].items():
            explained = _explained(kind, name, each)
            properties[name] = _either(properties[name], explained) if name in properties else explained
    return {
        "type": "object",
        "description": "What happens: shapers, and at most one outcome.",
        "properties": properties,
        "minProperties": 1,
        "additionalProperties": False,
    }


def _explained(kind: type[Fault], name: str, declared: dict[str, Any]) -> dict[str, Any]:
    """A key's schema, with the fault's own words where the key names the fault."""
    if name != kind.key:
        return declared
    words = " ".join((kind.__doc__ or "").split())
    return {**declared, "description": f"{words} {declared.get('description', '')}".strip()}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What takes what either takes, and says what each says."""
    words = list(dict.fromkeys(each["description"] for each in (one, other) if "description" in each))
    branches = [*_branches(one), *(each for each in _branches(other) if each not in _branches(one))]
    return {"anyOf": branches, "description": " ".join(words)}


def _branches(declared: dict[str, Any]) -> list[dict[str, Any]]:
    bare = {key: value for key, value in declared.items() if key not in ("description", "title", "default")}
    return list(bare["anyOf"]) if bare.keys() == {"anyOf"} else [bare]


def _inlined(own: dict[str, Any]) -> dict[str, Any]:
    """A schema whose properties stand by themselves, without definitions to refer to."""
    definitions = own.get("$defs", {})
    for name, declared in own["properties"].items():
        if "$ref" in declared:
            meant = definitions[declared["$ref"].rpartition("/")[2]]
            own["properties"][name] = {**meant, **{k: v for k, v in declared.items() if k != "$ref"}}
    return own


def _name_operations(declared: dict[str, Any], operations: Collection[Operation]) -> None:
    """Offer the operations' names for completion, and take what has a `*` or a `!` beside them."""
    names = {"enum": [operation.name for operation in operations]}
    globs = {"type": "string", "pattern": r"^!.|\*"}
    declared["anyOf"] = one_or_many({"anyOf": [names, globs]})["anyOf"]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema, from the innermost."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(child)
    if isinstance(node, dict):
        yield node


def _tidy(node: dict[str, Any]) -> None:
    """Leave out what only Python means: titles made of names, null as the word for nothing given."""
    if isinstance(node.get("title"), str):
        del node["title"]
    if node.get("default", 0) is None or isinstance(node.get("default"), dict | list):
        del node["default"]
    branches = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if "anyOf" in node and len(branches) < len(node["anyOf"]):
        del node["anyOf"]
        node |= branches[0] if len(branches) == 1 else {"anyOf": branches}
    if isinstance(node.get("description"), str):
        node["description"] = " ".join(node["description"].split())
