"""Whatever arrives gets a clear answer: never a 500 that nobody asked for, never anything half done."""

import gzip
import json
import random
import zlib

import pytest

from tests.cases import cases

CREATE = "/v1/instances"
UNKNOWN = "/v1/instances/inst_0000000000000000"


def deep(opening, closing, depth=20_000):
    return b'{"name":' + opening * depth + closing * depth + b"}"


UNREADABLE = {
    "empty": (b"", "the body is empty"),
    "blank": (b"  \n ", "malformed JSON at line 2 column 2"),
    "half": (b'{"name": ', "malformed JSON at line 1 column 10"),
    "on the third line": (b'{\n"name": "a",\n}', "malformed JSON at line 3 column 1"),
    "two values": (b"{} {}", "malformed JSON at line 1 column 4"),
    "single quotes": (
        b"{'name': 'a'}",
        "malformed JSON at line 1 column 2: JSON writes strings in double quotes",
    ),
    "quotes of a shell": (
        b"'{name:",
        "malformed JSON at line 1 column 1: this begins with a quote of the shell; in cmd.exe write "
        r'-d "{\"name\": …}"',
    ),
    "YAML": (b"name: web-1\nplan: pro", "malformed JSON at line 1 column 1: this is YAML; send a JSON object"),
    "YAML with a comment": (
        b"# a story\n---\nname: calm",
        "malformed JSON at line 1 column 1: this is YAML; send a JSON object",
    ),
    "a comment": (b'{"name": "a"} // web', "malformed JSON at line 1 column 15"),
    "a form": (b"name=a&plan=pro", "malformed JSON at line 1 column 1: this is a form; send a JSON object"),
    "a form with brackets": (b"tags[0]=a", "malformed JSON at line 1 column 1: this is a form; send a JSON object"),
    "multipart": (b"--x\r\n", "malformed JSON at line 1 column 1: this is multipart; send a JSON object"),
    "XML": (b"<name/>", "malformed JSON at line 1 column 1: this is XML or HTML; send a JSON object"),
    "a raw control character": (b'{"name": "a\nb"}', "malformed JSON at line 1 column 12"),
    "a bad escape": (rb'{"name": "\x41"}', "malformed JSON at line 1 column 11"),
    "a leading zero": (b'{"name": 01}', "malformed JSON at line 1 column 11"),
    "a byte order mark": (
        b"\xef\xbb\xbf{}",
        "malformed JSON at line 1 column 1: the body begins with a byte order mark (BOM); leave it out",
    ),
    "Latin-1": (b'{"name": "caf\xe9"}', "invalid UTF-8 at byte 13: write the body in UTF-8"),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), "invalid UTF-8 at byte 0: this is UTF-16; write the body in UTF-8"),
    "UTF-16 without a mark": (
        '{"name": "a"}'.encode("utf-16-le"),
        "malformed JSON at line 1 column 2: this is UTF-16 or UTF-32; write the body in UTF-8",
    ),
    "gzip": (gzip.compress(b"{}"), "invalid UTF-8 at byte 1: the body is compressed (gzip); send it uncompressed"),
    "deflate": (
        zlib.compress(b"{}"),
        "invalid UTF-8 at byte 1: the body is compressed (deflate); send it uncompressed",
    ),
    "a surrogate in UTF-8": (b'{"name": "\xed\xa0\x80"}', "invalid UTF-8 at byte 10: write the body in UTF-8"),
    "a lone surrogate": (rb'{"name": "\ud800"}', "a string has a lone surrogate"),
    "a lone surrogate in a name": (rb'{"\udfff": 1}', "a string has a lone surrogate"),
    "a lone surrogate in a list": (rb'{"tags": [["\ud83d"]]}', "a string has a lone surrogate"),
    "NaN": (b'{"name": NaN}', "NaN is not JSON"),
    "Infinity": (b'{"tags": [Infinity]}', "Infinity is not JSON"),
    "-Infinity": (b'{"a": {"b": -Infinity}}', "-Infinity is not JSON"),
    "a name twice": (b'{"name": "a", "plan": "pro", "name": "b"}', 'duplicate key "name"'),
    "a name twice, once escaped": (rb'{"name": "a", "n\u0061me": "b"}', 'duplicate key "name"'),
    "a name twice, deep inside": (b'{"name": "a", "x": [{"y": 1, "y": 1}]}', 'duplicate key "y"'),
    "an array": (b'["name"]', "the body must be a JSON object, not an array"),
    "a string": (b'"name"', "the body must be a JSON object, not a string"),
    "a number": (b"1", "the body must be a JSON object, not a number"),
    "null": (b"null", "the body must be a JSON object, not null"),
    "true": (b"true", "the body must be a JSON object, not true"),
    "deep arrays": (deep(b"[", b"]"), "nested too deeply"),
    "deep objects": (deep(b'{"a":', b"}", 9_000)[:-9_001], "nested too deeply"),
    "deep and never closed": (b"[" * 60_000, "nested too deeply"),
}


@cases("case", UNREADABLE)
def test_a_body_that_cannot_be_read(api, case):
    raw, reason = UNREADABLE[case]

    reply = api.post(CREATE, raw=raw)

    assert (reply.status, reply.error["code"]) == (400, "BAD_REQUEST")
    assert reply.details == {"reason": reason}


@cases("depth", [10, 100, 300, 450, 600, 800, 950, 1200])
@cases("inside", [b"1", rb'"\u0041"', rb'"\ud800"'])
def test_a_body_nested_to_any_depth(api, depth, inside):
    reply = api.post(CREATE, raw=b'{"name":' + b"[" * depth + inside + b"]" * depth + b"}")

    assert reply.status == 400
    assert reply.error["code"] in ("BAD_REQUEST", "VALIDATION_ERROR")


@cases("name", ["self", "details", "code", "cls", "", " ", "a.b", "[0]", "__class__", "é", "x" * 5000])
def test_a_field_of_any_name_is_unknown(api, example, name):
    reply = api.post(CREATE, {**example, name: 1})

    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert len(reply.details) == 1
    assert all(message.startswith("unknown field") for message in reply.details.values())


def test_thousands_of_unknown_fields_are_all_named(api, example):
    reply = api.post(CREATE, {**example, **{f"f{n}": n for n in range(3000)}})

    assert len(reply.details) == 3000


HUGE = 10**5000


@cases(
    "value",
    [
        None,
        True,
        False,
        0,
        1,
        1.0,
        -1,
        1e300,
        [],
        {},
        [[]],
        {"a": 1},
        ["pro"],
        "",
        " pro",
        "PRO",
        "pro\n",
        "pro\0",
        "x" * 60_000,
    ],
)
@cases("field", ["name", "plan", "region", "image"])
def test_a_field_of_another_kind(api, example, field, value):
    reply = api.post(CREATE, {**example, field: value})

    if field == "name" and value == "PRO":
        assert reply.status == 201
    else:
        assert (reply.status, list(reply.details)) == (400, [field])


@cases("value", [b"1" + b"0" * 5000, b"-1" + b"0" * 5000, b"1e999", b"1" + b"0" * 5000 + b".5"])
@cases("field", ["name", "plan", "region", "image", "tags"])
def test_a_number_larger_than_any_field(api, field, value):
    reply = api.post(CREATE, raw=b'{"%s": %s}' % (field.encode(), value))

    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert reply.details[field] in ("must be a string", "must be an array") or "must be one of" in reply.details[field]


@cases("field", ["limit", "page"])
@cases(
    "value",
    [
        "0",
        "-1",
        "+1",
        "01",
        "1.0",
        "1e1",
        "1_0",
        "１",
        "%EF%BC%91",
        "",
        "%20",
        "1%20",
        "%2B1",
        "true",
        "ten",
        "0x1",
        "1;2",
        "9999999999",
        "1000000001",
        "1" * 400,
        "1&{field}=2",
        "%00",
        "%ff",
        "NaN",
    ],
)
def test_a_page_or_limit_that_is_no_plain_number(api, field, value):
    query = value.replace("{field}", field).replace("１", "%EF%BC%91")

    reply = api.get(f"/v1/plans?{field}={query}")

    assert (reply.status, reply.error["code"], list(reply.details)) == (400, "VALIDATION_ERROR", [field])


@pytest.mark.parametrize(("field", "value"), [("limit", "101"), ("limit", "1000000000")])
def test_a_limit_above_the_maximum(api, field, value):
    assert api.get(f"/v1/plans?{field}={value}").details == {"limit": "must be a whole number from 1 to 100"}


@cases("query", ["page=1", "page=1000000000", "limit=1", "limit=100", "p%61ge=2", "page=%31"])
def test_the_smallest_and_the_largest_page_and_limit(api, query):
    assert api.get(f"/v1/plans?{query}").status == 200


@cases("query", ["x=1", "status", "x=%", "x=%zz", "&&&", "=", "=1", "a=b=c", "x=%00", "x=%ff%fe", "?", "%"])
def test_odd_queries_that_name_nothing_known_are_ignored(api, query):
    assert api.get(f"/v1/plans?{query}").status == 200


@cases("content_type", ["text/plain", "application/x-www-form-urlencoded", "json", "", "application/jsonp", "é"])
def test_a_wrong_content_type(api, example, content_type):
    reply = api.post(CREATE, example, headers={"Content-Type": content_type.encode("latin-1")})

    assert (reply.status, reply.error["code"], list(reply.details)) == (400, "BAD_REQUEST", ["content_type"])


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;"]
)
def test_every_spelling_of_the_right_content_type(api, example, content_type):
    assert api.post(CREATE, example, headers={"Content-Type": content_type}).status == 201


@cases("encoding", ["gzip", "br", "deflate", "zstd", "GZIP, gzip"])
def test_a_compressed_body_is_called_by_its_name(api, example, encoding):
    for raw in (gzip.compress(json.dumps(example).encode()), json.dumps(example).encode()):
        reply = api.post(CREATE, raw=raw, headers={"Content-Encoding": encoding})

        assert (reply.status, reply.error["code"]) == (400, "BAD_REQUEST")
        wanted = f"Content-Encoding {encoding} is not supported: send the body uncompressed, without this header"
        assert reply.details == {"reason": wanted}
    assert api.post(CREATE, example, headers={"Content-Encoding": "identity"}).status == 201


def test_the_control_plane_takes_no_compressed_body_either(api):
    reply = api.call("PATCH", "/_mock/clock", raw=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    assert "Content-Encoding gzip is not supported" in reply.details["reason"]


@cases(
    ("query", "details"),
    [
        ("region=a&region=b", {"region": "is given twice: give it once"}),
        ("region=a&reg%69on=a", {"region": "is given twice: give it once"}),
        ("status=running&status=running&status=x", {"status": "is given 3 times: give it once"}),
        ("page=1&page=2&limit=0", {"page": "is given twice: give it once", "limit": "must be a whole number"}),
        ("limit=0&limit=0", {"limit": "is given twice: give it once"}),
    ],
)
def test_a_parameter_given_twice_is_told_so(api, query, details):
    reply = api.get(f"{CREATE}?{query}")

    assert (reply.status, reply.error["code"], set(reply.details)) == (400, "VALIDATION_ERROR", set(details))
    assert all(reply.details[name].startswith(words) for name, words in details.items())


def test_a_parameter_that_takes_several_values_is_given_as_often_as_you_like(api):
    assert api.get(f"{CREATE}?tags=a&tags=b,c&x=1&x=2").status == 200


def test_no_content_type_at_all_counts_as_json(api, example):
    assert api.post(CREATE, example).status == 201


def test_a_body_that_nothing_reads_is_ignored(api):
    for method in ("GET", "HEAD"):
        assert api.call(method, "/v1/plans", raw=b"{", headers={"Content-Type": "text/plain"}).status == 200
    made = api.create()
    assert api.delete(f"{CREATE}/{made['id']}", raw=b"\xff").status == 200


@pytest.mark.parametrize("size", [65_535, 65_536])
def test_the_largest_body_is_read(api, example, size):
    raw = json.dumps(example).encode()

    assert api.post(CREATE, raw=raw + b" " * (size - len(raw))).status == 201


@pytest.mark.parametrize("size", [65_537, 1_000_000])
def test_a_larger_body_is_refused(api, size):
    reply = api.post(CREATE, raw=b" " * size)

    assert (reply.status, reply.error["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert reply.details == {"limit_bytes": "65536"}


def test_a_body_in_chunks_is_read_and_limited_too(wire, sandbox, example):
    head = b"POST /v1/instances HTTP/1.1\r\nAuthorization: Bearer %s\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    head %= sandbox.api_key.encode()

    def chunked(*parts):
        return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    raw = json.dumps(example).encode()
    assert wire(chunked(raw[:7], raw[7:]))[0] == 201
    assert wire(chunked(*[b" " * 16_384] * 5))[0] == 413


def test_a_body_that_breaks_off_does_nothing(wire, sandbox, api, example):
    raw = json.dumps(example).encode()
    head = b"POST /v1/instances HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"

    assert wire(head % (sandbox.api_key.encode(), len(raw)) + raw[:-1], hang_up=True) is None

    assert api.get(CREATE).json["data"] == []


@cases(
    "path",
    [
        "/v1/instances/",
        "/v1/instances//",
        "//v1/instances",
        "/v1//instances",
        "/v1/",
        "/v1",
        "/v1/instances%2F",
        "/v1%2Finstances",
        "/v1/instances;x=1",
        "/v1/./instances",
        "/v1/x/../instances",
        "/v1/Instances",
        "/v1/instances.json",
        "/v1/instances/a/b",
        "/v1/instances/inst_0000000000000000/",
        "/v1/%00",
        "/v1/%ff%fe",
        "/v1/%",
        "/" + "x" * 20_000,
        "/v1" + "/x" * 5_000,
        "*",
    ],
)
def test_odd_paths_lead_nowhere(api, path):
    reply = api.get(path)

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
    assert list(reply.details) == ["path"]


@cases(
    "given",
    ["a%2Fb", "%2F", "..%2F..%2Fetc", "%00", "%ff", "%", "legacy2", "INST_0", "~", "x" * 5_000, ".", "..", "a+b", ";"],
)
def test_an_id_of_any_shape_is_unknown(api, given):
    for method in ("GET", "DELETE"):
        reply = api.call(method, f"{CREATE}/{given}")
        assert (reply.status, reply.details) == (404, {"resource": "instance", "id": given})


def test_the_legacy_path_is_no_id(api):
    assert api.get(f"{CREATE}/legacy").status == 200
    assert api.delete(f"{CREATE}/legacy").status == 405
    assert api.get(f"{CREATE}/legac%79").details == {"resource": "instance", "id": "legac%79"}


def test_an_absolute_address_means_its_path(api):
    assert api.get(f"{api.url}/v1/plans").status == 200


@cases("path", ["/v1/plans", "/_mock/health", "/openapi.json", "/"])
@cases(
    ("host", "reason"),
    [
        ("", "is missing"),
        ("Host: localhost\r\nHost: localhost\r\n", "more than once"),
        ("Host: localhost\r\nhost: evil.example\r\n", "more than once"),
        ("Host:\r\n", "must be a host"),
        ("Host: :4269\r\n", "must be a host"),
        ("Host: localhost:80@evil.example\r\n", "must be a host"),
        ("Host: localhost/_mock\r\n", "must be a host"),
        ("Host: localhost:http\r\n", "must be a host"),
        ("Host: [::1\r\n", "must be a host"),
        ("Host: a b\r\n", "must be a host"),
        ("Host: evil.example:127.0.0.1\r\n", "must be a host"),
    ],
)
def test_every_path_wants_one_good_host(wire, sandbox, path, host, reason):
    status, _, body = wire(f"GET {path} HTTP/1.1\r\nAuthorization: Bearer {sandbox.api_key}\r\n{host}\r\n".encode())

    error = json.loads(body)["error"]
    assert (status, error["code"]) == (400, "BAD_REQUEST")
    assert reason in error["details"]["host"]


def test_a_call_without_a_host_is_in_the_servers_journal(wire, client, own_server):
    assert wire(b"GET /v1/plans HTTP/1.0\r\n\r\n", own_server)[0] == 400

    [entry] = client(own_server.url).get("/_mock/requests").json["data"]
    assert (entry["path"], entry["status"]) == ("/v1/plans", 400)


def test_a_large_header_does_no_harm(api):
    assert api.get("/v1/plans", headers={"X-Long": "x" * 60_000}).status == 200


CONTROL = [
    ("PATCH", "/_mock/clock", b'{"speed": 0}'),
    ("PATCH", "/_mock/clock", b'{"speed": 1e999}'),
    ("PATCH", "/_mock/clock", b'{"speed": "fast"}'),
    ("PATCH", "/_mock/clock", b'{"now": "1969-01-01T00:00:00Z"}'),
    ("PATCH", "/_mock/clock", b'{"self": 1}'),
    ("POST", "/_mock/clock/advance", b'{"by": "-1s"}'),
    ("POST", "/_mock/clock/advance", b'{"by": "999999999d"}'),
    ("POST", "/_mock/clock/advance", b'{"by": 5}'),
    ("PATCH", "/_mock/account", b'{"balance": 5}'),
    ("PATCH", "/_mock/account", b'{"balance": "$1e9"}'),
    ("PATCH", "/_mock/account", b'{"plan": "pro"}'),
    ("PATCH", "/_mock/account", b'{"rate_limit": "0/min"}'),
    ("PATCH", "/_mock/account", b'{"scopes": ["root"]}'),
    ("PUT", "/_mock/rules/x", b'{"fault": {"error": "NOPE"}}'),
    ("PUT", "/_mock/rules/x", b'{"fault": {}}'),
    ("PUT", "/_mock/rules/x", b'{"match": {"operation": "instances.creat"}, "fault": {"status": 500}}'),
    ("PUT", "/_mock/rules/%20", b'{"fault": {"status": 500}}'),
    ("PUT", "/_mock/scenario", b'{"name": "no-such-scenario"}'),
    ("PUT", "/_mock/scenario", b'{"rules": 5}'),
    ("POST", "/_mock/sandboxes", b'{"seed": -1}'),
    ("POST", "/_mock/sandboxes", b'{"scenario": 5}'),
    ("GET", "/_mock/requests?limit=-1", None),
    ("GET", "/_mock/requests?since=%EF%BC%91", None),
    ("POST", "/_mock/clock/advance", deep(b"[", b"]")),
]


@cases(("method", "path", "raw"), CONTROL)
def test_the_control_plane_refuses_what_makes_no_sense(api, method, path, raw):
    reply = api.call(method, path, raw=raw)

    assert reply.status == 400
    assert reply.details


def bytes_of_any_kind(chance, longest=80):
    return bytes(chance.randrange(256) for _ in range(chance.randrange(longest)))


def json_of_any_kind(chance, depth=0):
    """JSON, or nearly."""
    simple = [
        "null",
        "true",
        "1",
        "-0",
        "1e400",
        "NaN",
        '""',
        '"pro"',
        '"us-east-1"',
        r'"\ud800"',
        r'"\u0000"',
        "1" * 200,
    ]
    if depth > 4 or chance.random() < 0.5:
        return chance.choice(simple)
    names = ["name", "plan", "region", "image", "tags", "self", "", "x"]
    inside = [json_of_any_kind(chance, depth + 1) for _ in range(chance.randrange(6))]
    if chance.random() < 0.4:
        return f"[{','.join(inside)}]"
    text = "{" + ",".join(f'"{chance.choice(names)}":{each}' for each in inside) + "}"
    return text if chance.random() < 0.9 else text[:-1]


def target_of_any_kind(chance):
    words = ["v1", "_mock", "instances", "legacy", "plans", "pro", "clock", "requests", "network", "firewall", "%2F"]
    words += ["", "..", "%00", "%", "*", "é".encode().decode("latin-1"), "x" * 300, "snapshots", "account"]
    path = "/" + "/".join(chance.choice(words) for _ in range(chance.randrange(1, 5)))
    query = "&".join(
        f"{chance.choice(['page', 'limit', 'status', 'tags', 'region', 'x', ''])}={chance.choice(words)}"
        for _ in range(chance.randrange(3))
    )
    return f"{path}?{query}" if query else path


def request_of_any_kind(chance, key):
    """A request, or nearly, on the wire."""
    method = chance.choice(["GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", ""])
    body = json_of_any_kind(chance).encode() if chance.random() < 0.8 else bytes_of_any_kind(chance)
    lines = [
        f"{method} {target_of_any_kind(chance)} HTTP/{chance.choice(['1.1', '1.1', '1.1', '1.0', '9'])}".encode(
            "latin-1"
        )
    ]
    lines.append(b"Host: " + chance.choice([b"localhost", b"127.0.0.1", b"evil.example", b"[", b""]))
    lines.append(b"Connection: close")
    if chance.random() < 0.9:
        lines.append(
            b"Authorization: Bearer " + chance.choice([key.encode(), key.encode(), b"cnx_live_" + b"0" * 32, b"x"])
        )
    if chance.random() < 0.3:
        lines.append(b"Content-Type: " + chance.choice([b"application/json", b"text/plain", b"\xff", b";"]))
    if chance.random() < 0.05:
        lines.append(bytes_of_any_kind(chance))
    lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_hundreds_of_requests_of_any_kind_are_all_answered(own_server, wire, seed):
    chance = random.Random(seed)
    sandbox = own_server.sandbox({"world": {"rate_limit": "100000/min"}})
    for _ in range(150):
        request = request_of_any_kind(chance, sandbox.api_key)
        status, headers, body = wire(request, own_server)
        said = f"seed {seed}: {request!r} was answered {status} {headers} {body!r}"
        assert status < 500, said
        assert headers["server"].startswith("cnx-mock/"), said
        if body:
            answer = json.loads(body)
            assert headers["content-type"] == "application/json", said
            assert (status >= 400) == (list(answer) == ["error"]), said
            assert status < 400 or set(answer["error"]) == {"code", "message", "details", "request_id"}, said
