"""The reference of the API's endpoints, made from its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from cnx_mock.api.readings import in_force
from cnx_mock.http.reference import document
from cnx_mock.services import operations
from tests.docs.markdown import code, page, sentence, slug, table

PROVENANCE = {
    "documented": "The reference documents it.",
    "named": "The reference names it and does not describe it.",
    "implied": "A sentence of the reference cannot be true without it.",
    "added": "We added it.",
}
_INTRO = """Every operation of `/v1`. The *provenance* says where an operation comes from: `documented` (the
reference describes it), `named` (the reference only names it), `implied` (a sentence of the reference cannot be true
without it) or `added` (ours). `--surface documented` serves only the first kind, `--surface named` all but the last.

The same content is at `/openapi.json` of a running server, at `/docs` for a browser, and in
`cnx-mock openapi`. There, `x-cnx-provenance` and `x-cnx-source` say the same of every field and header."""


def endpoints() -> str:
    """The page."""
    found = document("all", in_force({}), ["/"])
    return page("Endpoints", _INTRO, routes(), *_operations(found), "## Shapes", *_shapes(found))


def routes() -> str:
    """Every endpoint in one table."""
    rows = ([f"`{o.method} {o.path}`", f"`{o.name}`", o.provenance.kind] for o in operations())
    return table(["endpoint", "operation", "provenance"], rows)


def _operations(found: dict[str, Any]) -> Iterator[str]:
    for tag in found["tags"]:
        yield f"## {tag['name']}"
        yield sentence(tag.get("description", ""))
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                if operation.get("tags") == [tag["name"]]:
                    yield f"### `{method.upper()} {path}`"
                    yield from _operation(found, operation)


def _operation(found: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    summary, more = sentence(operation["summary"]), sentence(operation.get("description", ""))
    yield more if more.startswith(summary) else f"{summary} {more}"
    kind = operation["x-cnx-provenance"]
    scope = operation.get("x-cnx-scope")
    yield "\n".join(
        [
            f"- Operation: `{operation['x-cnx-operation']}`",
            f"- Scope of the key: {f'`{scope}`' if scope else 'none'}",
            f"- Provenance: {kind}. {PROVENANCE[kind]} ({operation['x-cnx-source']})",
            *_answers(found, operation),
        ]
    )
    if operation.get("parameters"):
        given = [_resolved(found, each) for each in operation["parameters"]]
        rows = ([f"`{each['name']}`", each["in"], *_described(each, each["schema"])] for each in given)
        yield table(["parameter", "in", "type", "meaning"], rows)
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield f"Body: {_type(schema)}"
        yield _fields(found["components"]["schemas"][_name(schema)])


def _answers(found: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    errors: list[str] = []
    for status, answer in operation["responses"].items():
        media = _resolved(found, answer).get("content", {}).get("application/json", {})
        if int(status) < 400:
            body = _type(media["schema"]) if "schema" in media else "no body"
            yield f"- Answer: {status}, {body}"
        else:
            errors += [f"{status} `{name}`" for name in media.get("examples", {})]
    if errors:
        yield f"- Errors: {', '.join(errors)}"


def _resolved(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, also one that stands among the components."""
    if "$ref" not in given:
        return given
    part: Any = found
    for word in given["$ref"].removeprefix("#/").split("/"):
        part = part[word]
    return dict(part)


def _shapes(found: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(found["components"]["schemas"].items()):
        yield f"### {name}"
        yield sentence(schema.get("description", ""))
        if "properties" in schema:
            yield _fields(schema)
        if "enum" in schema:
            yield f"One of: {code(schema['enum'])}"


def _fields(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = (
        [f"`{name}`", "yes" if name in required else "no", *_described(each, each)]
        for name, each in schema["properties"].items()
    )
    return table(["field", "required", "type", "meaning"], rows)


def _described(about: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    default = f" Default: `{schema['default']}`." if schema.get("default") not in (None, [], {}) else ""
    return [_type(schema), sentence(about.get("description", "")) + default]


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with a link to a shape."""
    if "$ref" in schema:
        return f"[{_name(schema)}](#{slug(_name(schema))})"
    if "enum" in schema:
        return code(schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return " or ".join(map(_type, schema[either]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {_type(schema.get('items', {}))}"
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return words + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else f", at most {high}" if high is not None else ""
