"""A body that orjson has read is the same as one that is read strictly, or it is refused in the same words."""

import random

import orjson

from cnx_mock.api.errors import BadRequest
from cnx_mock.api.parsing import json_object
from tests.cases import cases

SEED = 20261129
PIECES = [
    '"',
    '"',
    '"a"',
    '"b":',
    '"a":"x"',
    '"a":["x","y"]',
    ",",
    ",",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "\\u0041",
    "1",
    "null",
]
PIECES += [" ", "\n", "é", "\x01", "NaN", "1e999", '"tags":[]', '"a":{"b":"c"}', '"":""', "\ufeff", "true"]
VALUES = ['""', '"x"', '["y"]', "[]"]
BODIES = [
    b'{"a":"x"}',
    b'{"a":"x","a":"y"}',
    b'{"a":"x","a":["y"]}',
    b'{"a":["x"],"a":[]}',
    b'{"a":"\\"x"}',
    b'{"a":"\\ud800"}',
    b'{"a":["x",["y"]]}',
    b'{"a":{"b":"c","b":"d"}}',
    b'{"a":1,"b":"x"}',
    b'\xef\xbb\xbf{"a":"x"}',
    b'{"a":"\xff"}',
    b'{"a":"x"} ',
    b'{"a":"x"}{"a":"y"}',
    b"{}",
    b'["a"]',
]


def read(raw: bytes, known: object = None) -> object:
    try:
        return json_object(raw, known)
    except BadRequest as refusal:
        return refusal.details


def both(raw: bytes) -> tuple[object, object]:
    try:
        known = orjson.loads(raw)
    except orjson.JSONDecodeError:
        known = None
    return read(raw, known), read(raw)


@cases("raw", BODIES)
def test_what_was_read_before_changes_nothing(raw):
    quick, strict = both(raw)

    assert quick == strict


def test_nor_does_it_for_random_bodies():
    chance = random.Random(SEED)
    read = 0
    for _ in range(5_000):
        if chance.random() < 0.5:
            raw = "".join(["{", *chance.choices(PIECES, k=chance.randrange(8)), "}"]).encode()
        else:
            pairs = [f'"{name}":{chance.choice(VALUES)}' for name in chance.choices("abc", k=3)]
            raw = ("{" + ",".join(pairs) + "}").encode()
        quick, strict = both(raw)
        assert quick == strict, f"seed {SEED}: {raw!r}"
        read += isinstance(strict, dict) and "reason" not in strict
    assert read > 500
