"""The verifiers as everybody gets them: the bytes that are kept, their digests, and a page that can reach nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from server import verifiers
from server.verifiers import FOLDER, PAGE, PROGRAM
from tests.office.district import HTML
from tests.running import Running

SCRIPT = b"<!doctype html><style>p{}</style><p>x</p><script>one()</script><script type='module'>two()</script>"


def hash_of(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


def directives(policy: str) -> dict[str, list[str]]:
    parts = (one.split() for one in policy.split("; "))
    return {name: values for name, *values in parts}


def test_the_policy_allows_the_pages_own_scripts_by_their_hashes_and_no_network() -> None:
    found = directives(verifiers.policy_of(SCRIPT))
    assert found["default-src"] == ["'none'"]
    assert found["script-src"] == [hash_of(b"one()"), hash_of(b"two()")]
    assert found["style-src"] == [hash_of(b"p{}")]
    assert "connect-src" not in found, "default-src refuses every connection"
    assert not any("unsafe" in value or "self" in value for values in found.values() for value in values)


def test_a_changed_script_is_none_that_the_policy_allows() -> None:
    assert hash_of(b"evil()") not in verifiers.policy_of(SCRIPT.replace(b"one()", b"other()"))


def test_a_folder_without_verifiers_is_no_fault(tmp_path: Path) -> None:
    found = verifiers.load(tmp_path)
    assert (found.page, found.program, found.all) == (None, None, [])


def test_each_verifier_is_given_as_it_is_kept_and_its_digest_stands_on_the_page(server: Running) -> None:
    kept = {name: (FOLDER / name).read_bytes() for name in (PAGE, PROGRAM)}
    with server.client(headers=HTML) as client:
        shown = client.get("/verify").text
        for name, body in kept.items():
            answer = client.get(f"/verify/{name}")
            assert answer.content == body
            assert hashlib.sha256(body).hexdigest() in shown


def test_the_page_is_served_under_its_own_policy_and_no_other(server: Running) -> None:
    body = (FOLDER / PAGE).read_bytes()
    with server.client(headers=HTML) as client:
        answer = client.get(f"/verify/{PAGE}")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers.get_list("content-security-policy") == [verifiers.policy_of(body)]
    for script in re.findall(rb"<script[^>]*>(.*?)</script>", body, re.S):
        assert hash_of(script) in answer.headers["content-security-policy"]
