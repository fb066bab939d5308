"""The scenario language as a JSON Schema (2020-12), for editors. It is made from the models that read a scenario."""

from collections.abc import Collection, Iterator
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.api.readings import READINGS
from cnx_mock.scenario import faults
from cnx_mock.scenario.fault import Fault
from cnx_mock.scenario.field_types import one_or_many
from cnx_mock.scenario.models import RuleModel, ScenarioModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(operations: Collection[Operation]) -> dict[str, Any]:
    """Return the schema of a scenario file; `operations` are those that rules may match."""
    scenario = ScenarioModel.model_json_schema()
    rule = RuleModel.model_json_schema()
    definitions = {**scenario.pop("$defs"), **rule.pop("$defs"), "RuleModel": rule, "Fault": _fault()}
    scenario["properties"]["rules"]["items"] = {"$ref": "#/$defs/RuleModel"}
    fault = {"$ref": "#/$defs/Fault"}
    rule["properties"]["fault"] = {**fault, "description": rule["properties"]["fault"]["description"]}
    rule["properties"]["sequence"]["anyOf"][0]["items"] = {"anyOf": [{"const": "pass"}, fault]}
    rule["oneOf"] = [{"required": ["fault"]}, {"required": ["sequence"]}]
    definitions["PhaseModel"]["not"] = {"required": ["for", "until"]}
    _name_operations(definitions["MatchModel"]["properties"]["operation"], operations)
    definitions["WorldModel"]["properties"]["readings"] = {
        "type": "object",
        "description": definitions["WorldModel"]["properties"]["readings"]["description"],
        "properties": {each.name: {"enum": list(each.options), "description": each.why} for each in READINGS},
        "additionalProperties": False,
    }
    head = {"$schema": _DIALECT, "title": "cnx-mock scenario"}
    document: dict[str, Any] = {**head, **scenario, "$defs": definitions}
    for node in _objects(document):
        _tidy(node)
        if "$ref" in node:  # pydantic leaves out a description that is the definition's own
            node.setdefault("description", definitions[node["$ref"].rpartition("/")[2]]["description"])
    return {**document, **head, "description": scenario["description"]}


def _fault() -> dict[str, Any]:
    """Return the schema of one object with the keys of every fault; a key of several faults takes what any of them
    takes."""
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
    """Return a key's schema, with the fault's docstring if the key is the fault's name."""
    if name != kind.key:
        return declared
    docstring = " ".join((kind.__doc__ or "").split())
    return {**declared, "description": f"{docstring} {declared.get('description', '')}".strip()}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes what either of two takes, with both descriptions."""
    descriptions = list(dict.fromkeys(each["description"] for each in (one, other) if "description" in each))
    branches = [*_branches(one), *(each for each in _branches(other) if each not in _branches(one))]
    return {"anyOf": branches, "description": " ".join(descriptions)}


def _branches(declared: dict[str, Any]) -> list[dict[str, Any]]:
    bare = {key: value for key, value in declared.items() if key not in ("description", "title", "default")}
    return list(bare["anyOf"]) if bare.keys() == {"anyOf"} else [bare]


def _inlined(own: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose properties do not refer to definitions."""
    definitions = own.get("$defs", {})
    for name, declared in own["properties"].items():
        if "$ref" in declared:
            definition = definitions[declared["$ref"].rpartition("/")[2]]
            own["properties"][name] = {**definition, **{k: v for k, v in declared.items() if k != "$ref"}}
    return own


def _name_operations(declared: dict[str, Any], operations: Collection[Operation]) -> None:
    """Change the schema of `operation`: it offers the operations' names, and takes what has a `*` or a `!`."""
    names = {"enum": [operation.name for operation in operations]}
    globs = {"type": "string", "pattern": r"^!.|\*"}
    declared["anyOf"] = one_or_many({"anyOf": [names, globs]})["anyOf"]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a schema, the innermost first."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(child)
    if isinstance(node, dict):
        yield node


def _tidy(node: dict[str, Any]) -> None:
    """Remove what is about Python only: titles made of names, and null for a key that is not given."""
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
