"""The tree of the log is that of RFC 9162, as its text defines it and as pymerkle builds it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

import pymerkle
import pytest

from server.domain import merkle
from server.domain.merkle import Node, consistency_spans, hash_of, inclusion_spans, is_consistent, is_included
from server.standalone import witness

ALL_TO, SAMPLED_TO, LEAST_SAMPLES = 500, 100_000, 300


def mth(leaves: Sequence[bytes]) -> bytes:
    """Section 2.1.1, word for word."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Section 2.1.3.1."""
    n, k = len(leaves), 1
    if n == 1:
        return []
    while 2 * k < n:
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], is_whole: bool) -> list[bytes]:
    """Section 2.1.4.1."""
    n, k = len(leaves), 1
    if m == n:
        return [] if is_whole else [mth(leaves)]
    while 2 * k < n:
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def leaf(at: int) -> bytes:
    return b'{"n":%d}' % at


class Both:
    """The same leaves in our tree and in pymerkle's."""

    def __init__(self, size: int) -> None:
        self.theirs = pymerkle.InmemoryTree(algorithm="sha256")
        self.theirs.append_entries([leaf(at) for at in range(size)])
        self.hashes = [merkle.leaf_hash(leaf(at)) for at in range(size)]

    @property
    def node(self) -> Callable[[Node], bytes]:
        return cache(lambda node: merkle.whole(self.hashes, node))


def agree(both: Both, node: Callable[[Node], bytes], size: int, indexes: Sequence[int]) -> int:
    """How many proofs of a tree of `size` agree: each of them, or the test ends here."""
    root = hash_of((0, size), node)
    assert root == both.theirs.get_root(size)
    for index in indexes:
        ours = [hash_of(span, node) for span in inclusion_spans(index, size)]
        theirs = both.theirs.prove_inclusion(index + 1, size)
        assert [both.hashes[index], *ours] == theirs.path
        assert is_included(both.hashes[index], index, size, ours, root)
        first = index + 1
        old = hash_of((0, first), node)
        steps = [hash_of(span, node) for span in consistency_spans(first, size)]
        pymerkle.verify_consistency(old, root, both.theirs.prove_consistency(first, size))
        assert is_consistent(first, old, size, root, steps)
        assert witness.is_consistent(first, old, size, root, steps)
    return 2 * len(indexes)


def test_every_size_to_500_agrees_with_pymerkle(soak: bool) -> None:
    both, random, proofs = Both(ALL_TO), Random(9162), 0
    node = both.node
    for size in range(1, ALL_TO + 1):
        every = range(size) if soak or size <= 40 else sorted({0, 1, size // 2, size - 2, size - 1})
        proofs += agree(both, node, size, [*every, random.randrange(size)])
    print(f"{ALL_TO} sizes, {proofs} proofs")
    assert proofs > 6000


def test_sizes_to_100_000_agree_with_pymerkle() -> None:
    both, random = Both(SAMPLED_TO), Random(2026)
    node = both.node
    edges = [size for power in range(9, 17) for size in (2**power - 1, 2**power, 2**power + 1) if size <= SAMPLED_TO]
    sizes = [*edges, SAMPLED_TO, *(random.randrange(ALL_TO, SAMPLED_TO) for _ in range(40))]
    proofs = sum(agree(both, node, size, [0, size - 1, random.randrange(size)]) for size in sizes)
    print(f"{len(sizes)} sizes to {SAMPLED_TO}, {proofs} proofs")
    assert proofs >= LEAST_SAMPLES


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 33])
def test_roots_and_proofs_are_those_of_the_text(size: int) -> None:
    leaves = [leaf(at) for at in range(size)]
    hashes = [merkle.leaf_hash(one) for one in leaves]
    node: Callable[[Node], bytes] = lambda node: merkle.whole(hashes, node)  # noqa: E731  # a name for the reader
    assert merkle.root_of(hashes) == mth(leaves)
    for at in range(size):
        assert [hash_of(span, node) for span in inclusion_spans(at, size)] == path(at, leaves)
        assert [hash_of(span, node) for span in consistency_spans(at + 1, size)] == subproof(at + 1, leaves, True)


def test_the_tree_of_nothing_has_the_hash_of_nothing() -> None:
    assert merkle.root_of([]) == hashlib.sha256(b"").digest()
    assert is_consistent(0, merkle.EMPTY, 7, bytes(32), [])
    assert not is_consistent(0, bytes(32), 7, bytes(32), [])


def test_a_proof_of_which_anything_was_changed_is_refused() -> None:
    random, changed = Random(7), 0
    hashes = [merkle.leaf_hash(leaf(at)) for at in range(70)]
    node: Callable[[Node], bytes] = lambda node: merkle.whole(hashes, node)  # noqa: E731  # as above
    for size in (2, 3, 6, 8, 37, 64, 70):
        root = hash_of((0, size), node)
        for index in range(0, size, 3):
            steps = [hash_of(span, node) for span in inclusion_spans(index, size)]
            first, olds = index + 1, [hash_of(span, node) for span in consistency_spans(index + 1, size)]
            old = hash_of((0, first), node)
            for wrong in altered(steps, random):
                assert not is_included(hashes[index], index, size, wrong, root)
                changed += 1
            for wrong in altered(olds, random):
                assert not is_consistent(first, old, size, root, wrong)
                assert not witness.is_consistent(first, old, size, root, wrong)
                changed += 1
            assert not is_included(hashes[(index + 1) % size], index, size, steps, root)
            assert not is_included(hashes[index], index, size, steps, bytes(32))
            assert not is_consistent(first, bytes(32), size, root, olds)
            assert not witness.is_consistent(first, old, size, bytes(32), olds)
            assert not is_consistent(size + 1, old, size, root, olds)
    print(f"{changed} changed proofs")
    assert changed > 1000


def altered(steps: list[bytes], random: Random) -> list[list[bytes]]:
    """The proof with one bit turned, a step too few or too many, and two of them changed about."""
    found = [[*steps, bytes(32)], [bytes(32), *steps]]
    for at in range(len(steps)):
        bit = bytearray(steps[at])
        bit[random.randrange(32)] ^= 1 << random.randrange(8)
        found += [[*steps[:at], bytes(bit), *steps[at + 1 :]], steps[:at] + steps[at + 1 :]]
        if at and steps[at] != steps[at - 1]:
            found.append([*steps[: at - 1], steps[at], steps[at - 1], *steps[at + 1 :]])
    return found
