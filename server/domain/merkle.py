"""The tree of the log (RFC 9162, section 2): roots, and proofs that anyone can make and check.

Nothing here knows where hashes are kept: a proof is a list of spans of leaves, a span is made of whole subtrees, and
whoever has those makes the hashes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Span = tuple[int, int]
"""Leaves from the first to the second, that one not included, counted from 0."""

Node = tuple[int, int]
"""A whole subtree of 2^height leaves: its height, and its place among those of that height."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes: 0x00 before them."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: 0x01 before them."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes_of(span: Span) -> Iterator[Node]:
    """The whole subtrees that a span consists of, the largest first; it begins where such a subtree may begin."""
    first, last = span
    while first < last:
        height = (last - first).bit_length() - 1
        yield height, first >> height
        first += 1 << height


def folded(hashes: Iterable[bytes]) -> bytes:
    """The hash of subtrees that stand beside each other, the largest first."""
    right, *others = reversed(list(hashes))
    for left in others:
        right = node_hash(left, right)
    return right


def hash_of(span: Span, node: Callable[[Node], bytes]) -> bytes:
    """The hash of a span whose whole subtrees `node` gives; of no leaves at all that of the empty tree."""
    return folded(map(node, nodes_of(span))) if span[0] < span[1] else EMPTY


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree, from the hashes of all its leaves."""
    return hash_of((0, len(hashes)), lambda node: whole(hashes, node))


def whole(hashes: Sequence[bytes], node: Node) -> bytes:
    """The hash of a whole subtree over these hashes."""
    height, place = node
    level = list(hashes[place << height : (place + 1) << height])
    while len(level) > 1:
        level = [node_hash(*level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0]


# --- proofs -----------------------------------------------------------------------------------------------------------


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Whose hashes prove that the leaf at `index` is in the tree of `size` leaves, from the leaf up (2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("index")
    spans, first, last = list[Span](), 0, size
    while last - first > 1:
        middle = first + _half(last - first)
        if index < middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first = middle
    return spans[::-1]


def consistency_spans(first_size: int, size: int) -> list[Span]:
    """Whose hashes prove that the tree of `first_size` leaves is how that of `size` began (2.1.4.1)."""
    if not 0 < first_size <= size:
        raise ValueError("first")
    spans, first, last, is_old_root = list[Span](), 0, size, True
    while last != first_size:
        middle = first + _half(last - first)
        if first_size <= middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first, is_old_root = middle, False
    return ([] if is_old_root else [(first, last)]) + spans[::-1]


def _half(count: int) -> int:
    """The largest power of two below a count of two or more."""
    return 1 << (count - 1).bit_length() - 1


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the hash of a leaf to the root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(first_size: int, first_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the first tree is how the second began (2.1.4.2). Every tree begins with nothing."""
    if first_size == size:
        return not proof and first_root == root
    if first_size == 0:
        return not proof and first_root == EMPTY
    if not 0 < first_size < size or not proof:
        return False
    steps = list(proof) if first_size & (first_size - 1) else [first_root, *proof]
    place, last = first_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == root
