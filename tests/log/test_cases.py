"""The cases by which a phone's checks of the log are tested hold by the server's own rules, and by pymerkle."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pymerkle
import pytest

from server.domain.checkpoint import key_text, read_key, read_note, read_tree
from server.domain.merkle import is_consistent, is_included, leaf_hash
from server.store.log_keys import is_by, signers_of
from tests.running import ROOT

CASES: dict[str, list[Any]] = json.loads((ROOT / "tests" / "cases" / "log.json").read_text())


def hashes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in path]


@pytest.fixture(scope="module")
def oracle() -> pymerkle.InmemoryTree:
    found = pymerkle.InmemoryTree(algorithm="sha256")
    found.append_entries([b'{"n":%d}' % n for n in range(1, 1501)])
    return found


def test_the_proofs_hold_or_not_as_they_say(oracle: pymerkle.InmemoryTree) -> None:
    for one in CASES["inclusion"]:
        leaf, root = leaf_hash(one["leaf"].encode()), bytes.fromhex(one["root"])
        path = hashes([step for step in one["path"] if step == step.lower()])
        assert is_included(leaf, one["index"], one["size"], path, root) is one["good"], one
        if one["good"]:
            assert (one["root"], [leaf, *path]) == (
                oracle.get_root(one["size"]).hex(),
                oracle.prove_inclusion(one["index"] + 1, one["size"]).path,
            )
    for one in CASES["consistency"]:
        roots = [bytes.fromhex(one[name]) for name in ("first_root", "root")]
        holds = is_consistent(one["first"], roots[0], one["size"], roots[1], hashes(one["path"]))
        assert holds is one["good"], one
        if one["good"]:
            assert [oracle.get_root(one[name]) if one[name] else roots[0] for name in ("first", "size")] == roots
    assert min(len(CASES["inclusion"]), len(CASES["consistency"])) >= 30


def test_the_notes_are_signed_or_not_as_they_say() -> None:
    for one in CASES["checkpoints"]:
        try:
            note = read_note(one["note"])
            tree = read_tree(note.text)
            read = {"origin": tree.origin, "size": tree.size, "root": tree.root.hex()}
        except ValueError:
            assert (one["read"], one["good"]) == (None, False), one
            continue
        assert read == one["read"], one
        assert any(is_signed(one["key"], note, line) for line in note.signatures) is one["good"], one


def is_signed(key: str, note: Any, line: Any) -> bool:
    try:
        found = read_key(key)
    except ValueError:
        return False
    return found.kind == b"\x01" and is_by(found, note.text, line)


def test_the_keys_are_vouched_for_or_not_as_they_say() -> None:
    for one in CASES["keys"]:
        names = [its["key"] for its in one["keys"]]
        known, wanted = (names.index(key) if key in names else -1 for key in (one["known"], one["wanted"]))
        holds = 0 <= known <= wanted
        for at in range(known + 1, wanted + 1) if holds else ():
            before, new, note = read_key(names[at - 1]), read_key(names[at]), one["keys"][at]["note"]
            read = note and read_note(note)
            holds &= bool(read) and read.text == key_text(new.name, new)
            holds &= bool(read) and set(signers_of(read, [before, new])) == {before, new}
        assert holds is one["good"], one


def test_the_commitments_are_those_of_the_leaves() -> None:
    for one in CASES["commitments"]:
        made = hashlib.sha256(bytes.fromhex(one["key"]) + one["hidden"].encode()).hexdigest()
        assert made == one["commitment"]
