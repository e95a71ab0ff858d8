"""Bodies that are no JSON objects, or not those of their route."""

import pytest
from tests.kernel.bad_input.attacks import JSON, ONE_ENGINE, Attack, Target
from tests.kernel.bad_input.bodies import writing

# Too much for the fast suite, which is to stay below ten minutes.
pytestmark = pytest.mark.slow


MALFORMED = {
    "nothing": b"", "half an object": b'{"name":', "text behind it": b"{}x", "array": b"[]",
    "string": b'"text"', "null": b"null", "number": b"5", "NaN": b"NaN", "Infinity": b"Infinity",
    "NaN inside": b'{"name":NaN}', "Infinity inside": b'{"price":-Infinity}',
    "bad UTF-8": b'{"name":"\xff"}', "overlong UTF-8": b'{"name":"\xc0\x80"}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"), "BOM": b'\xef\xbb\xbf{"name":"x"}',
    "lone surrogate": b'{"name":"\\ud800"}', "encoded surrogate": b'{"name":"\xed\xa0\x80"}',
    "raw NUL": b'{"name":"\0"}', "comment": b"{}//", "single quotes": b"{'name':'x'}",
    "only NULs": b"\0" * 100, "a hundred thousand brackets": b"[" * 100_000,
    "five thousand levels": b'{"a":' * 5000 + b"1" + b"}" * 5000,
}  # fmt: skip
#: Bodies that are JSON objects, but not those of any route.
STRANGE = (
    b'{"nope":1e400}', b'{"nope":' + b"9" * 400 + b"}", b'{"nope":-' + b"9" * 5000 + b"}",
    b'{"nope":1,"nope":2}', b'{"nope":"\\u0000"}', b'{"nope\\u0000":1}', b'{"":1}',
    b'{"nope":' + b"[" * 900 + b"]" * 900 + b"}", b'{"nope":' + b"[" * 1000 + b"]" * 1000 + b"}",
    b'{"nope":' * 1000 + b"1" + b"}" * 1000, b'{"__proto__":{}}', b'{"id":"x"}',
    b'{"' + b"k" * 1_000_000 + b'":1}', b'{"nope":"' + b"x" * 1_000_000 + b'"}',
    b"{" + b",".join(b'"k%d":1' % number for number in range(20_000)) + b"}",
)  # fmt: skip


@ONE_ENGINE
def test_a_body_that_is_no_json_object_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON, names="body")
        for route, path, _ in writing(target)
        for body in MALFORMED.values()
    )


@ONE_ENGINE
def test_a_body_of_strange_members_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=body, headers=JSON)
        for route, path, _ in writing(target)
        for body in STRANGE
    )


@ONE_ENGINE
def test_a_body_of_another_media_type_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=b"{}", headers={"Content-Type": media},
               names="Content-Type")
        for route, path, _ in writing(target)
        for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                      "application/jsonp", "application", ";", "*/*", "json", "é", "x" * 5000)
    )  # fmt: skip


@ONE_ENGINE
def test_a_body_of_more_than_a_megabyte_is_refused(target: Target) -> None:
    large = b'{"name":"' + b"x" * 2**20 + b'"}'
    target.survive(
        Attack(route.method, path, body=large, headers=JSON) for route, path, _ in writing(target)
    )


@ONE_ENGINE
def test_a_patch_of_nothing_is_refused(target: Target) -> None:
    target.survive(
        Attack(route.method, path, body=b"{}", headers=JSON, names="body")
        for route, path, _ in writing(target)
        if route.partial
    )
