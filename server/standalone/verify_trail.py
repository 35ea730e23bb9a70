"""Looks whether anything in the trail, in the journal or in what went public was changed, and names each row that was.

    python verify_trail.py data/suijian.db --keys data/keys --checkpoint taken-home.txt
    python verify_trail.py --postgres postgresql://reader@host/suijian

One file that imports nothing of the server; it needs Python 3.11, `cryptography`, and for PostgreSQL `psycopg`. It only
reads. Of the trail: the numbers have no hole, each row's columns are what was hashed or committed to, and the hashes
make up the tree that each checkpoint signed, with the signatures of the log and of its witnesses. Of the journal: each
operation's bytes have its hash, follow on the one before, and carry its device's signature, and the entry that took it
names that hash and the verdict. Of what went public: the bytes of each version have the hash that its entry names, and
none is gone. What the database says can be made to agree by whoever holds its keys: only a checkpoint that somebody
else kept (`--checkpoint`) proves that the whole wasn't written anew.

It ends with 0 (all agrees), 1 (a line for each row that doesn't) or 2 (cannot run). A detail that was erased by an act
with a reason is no fault, and is named as erased.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

GOOD, FOUND, CANNOT = 0, 1, 2
WIDTH, BYTES = 256, 32
LOG, WITNESS = b"\x01", b"\x04"
DASH = "\u2014 "
LEAF = ("act", "actor", "at", "n", "object")
HIDDEN = ("before", "after", "detail")
NUMBERS = ("document", "number", "filing")
PUBLISHING = ("result.publish", "correction.sign")
VERDICTS = {"ok", "quarantined", "late", "dead", "held"}
REASONS = {
    None, "unknown_kind", "server_kind", "bad_path", "bad_value", "bad_author", "device_revoked", "not_member",
    "reassigned", "recused", "void_visit", "template_mismatch", "no_licence_at_time", "not_leader", "stale_proposal",
    "clock_ahead", "licence_expiring", "unreadable", "not_signed", "digest_changed",
}  # fmt: skip
SERVER = re.compile(r"srv[0-9]*\Z")
MOST_APART = 2**20


class Cannot(Exception):
    """There is nothing to judge; the text says why."""


# --- the database -----------------------------------------------------------------------------------------------------


class Source:
    """One snapshot of the database, read row by row."""

    def __init__(self, path: Path | None, postgres: str | None) -> None:
        self._names = 0
        self.is_postgres = postgres is not None
        if postgres is not None:
            self._conn = _postgres(postgres)
        elif path is not None:
            self._conn = _sqlite(path)
        else:
            raise Cannot("Name the database: a file of SQLite, or --postgres URL.")

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, without holding all of them."""
        if not self.is_postgres:
            yield from self._conn.execute(query)
            return
        self._names += 1
        with self._conn.cursor(name=f"verify_{self._names}") as cursor:
            cursor.itersize = 2000
            cursor.execute(query)
            yield from cursor

    def close(self) -> None:
        """Ends the snapshot."""
        self._conn.close()

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query that finds few."""
        return list(self._conn.execute(query).fetchall())


def _sqlite(path: Path) -> Any:
    if not path.is_file():
        raise Cannot(f"There is no file {path}.")
    conn = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    conn.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    conn.execute("BEGIN")
    return conn


def _postgres(url: str) -> Any:
    try:
        import psycopg
    except ImportError:
        raise Cannot("Install psycopg to read PostgreSQL: pip install 'psycopg[binary]'.") from None
    try:
        conn = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"))
        conn.read_only = True
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute("SELECT 1")
    except psycopg.Error as fault:
        raise Cannot(f"The database cannot be read: {str(fault).strip().splitlines()[0]}") from None
    return conn


# --- the tree ---------------------------------------------------------------------------------------------------------


def sha256(*parts: bytes) -> bytes:
    """The hash of these bytes, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


class Growing:
    """The root of a tree to which leaves are added: the whole subtrees that it consists of, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Adds the hash of one leaf."""
        self._peaks.append(leaf)
        count = self.size = self.size + 1
        while not count & 1:
            right, left = self._peaks.pop(), self._peaks.pop()
            self._peaks.append(sha256(b"\x01", left, right))
            count >>= 1

    def like(self, other: Growing) -> None:
        """Goes on from where another stands."""
        self.size, self._peaks = other.size, list(other._peaks)

    @property
    def root(self) -> bytes:
        """The root over all of them."""
        if not self._peaks:
            return sha256(b"")
        found = self._peaks[-1]
        for left in self._peaks[-2::-1]:
            found = sha256(b"\x01", left, found)
        return found


class Tiles:
    """The tiles as the database keeps them, compared with those that the entries make."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source, self._report = source, report
        self.built = int(next(iter(source.all("SELECT value FROM counter WHERE name = 'log'")), (0,))[0])
        self._kept = (-1, b"")

    def leaf(self, n: int) -> bytes | None:
        """The hash that the tree has of entry `n`; None where it isn't built so far, or where the tile is broken."""
        if n > self.built:
            return None
        place, at = divmod(n - 1, WIDTH)
        if self._kept[0] != place:
            self._kept = place, self._read(0, place)
        found = self._kept[1][at * BYTES : (at + 1) * BYTES]
        return found if len(found) == BYTES else None

    def _read(self, level: int, place: int) -> bytes:
        query = f"SELECT hashes FROM log_tile WHERE level = {level} AND place = {place}"
        return bytes(next(iter(self._source.all(query)), (b"",))[0])

    def compare(self) -> None:
        """Looks whether each level is made of the one below, and whether no tile is there that shouldn't be."""
        count, level = self.built, 0
        expected: set[tuple[int, int]] = set()
        while count:
            for place in range(-(-count // WIDTH)):
                expected.add((level, place))
                held, most = self._read(level, place), min(WIDTH, count - place * WIDTH)
                if len(held) != most * BYTES:
                    self._report.add(f"log_tile {level}/{place}", f"it has {len(held)} bytes, not {most * BYTES}")
                elif most == WIDTH:
                    self._above(level, place, held)
            count, level = count // WIDTH, level + 1
        for key in self._source.all("SELECT level, place FROM log_tile"):
            if key not in expected:
                self._report.add(f"log_tile {key[0]}/{key[1]}", "no such tile belongs to the tree")

    def _above(self, level: int, place: int, held: bytes) -> None:
        tree = Growing()
        for at in range(0, len(held), BYTES):
            tree.add(held[at : at + BYTES])
        upper, at = divmod(place, WIDTH)
        if self._read(level + 1, upper)[at * BYTES : (at + 1) * BYTES] != tree.root:
            self._report.add(f"log_tile {level + 1}/{upper}", f"its hash {at} isn't that of tile {level}/{place}")


# --- what is found ----------------------------------------------------------------------------------------------------


class Report:
    """What doesn't agree, row by row in the order in which it was met; and what is no fault, but to be known."""

    def __init__(self) -> None:
        self.faults: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.counts: dict[str, int] = defaultdict(int)

    def add(self, row: str, why: str) -> None:
        """Something is wrong with a row."""
        said = self.faults.setdefault(row, [])
        if why not in said:
            said.append(why)

    def print(self) -> int:
        """Says all of it, a line each."""
        for row, why in self.faults.items():
            print(f"{row}: {'; '.join(why)}")
        for note in self.notes:
            print(f"note: {note}")
        counted = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        print(f"{counted}: {f'{len(self.faults)} rows do not agree' if self.faults else 'all agrees'}")
        return FOUND if self.faults else GOOD


def canonical(value: object) -> bytes:
    """JCS of what has no float in it: members in order, no blanks, and only what must be escaped is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "surrogateescape"
    )


def loaded(raw: object) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    try:
        found = json.loads(raw.decode() if isinstance(raw, bytes) else str(raw))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# --- the trail --------------------------------------------------------------------------------------------------------


class Taken(NamedTuple):
    """The entry that took an operation: its number, what it says of it, and the verdict of intake with its reason."""

    n: int
    act: str
    actor: str
    hash: str
    at: str
    noted: tuple[Any, Any]


class Trail:
    """The entries in their order, each compared with what was hashed of it, and with the tree."""

    def __init__(self, source: Source, report: Report, checkpoints: Checkpoints) -> None:
        self._source, self._report, self._checkpoints = source, report, checkpoints
        self._tiles = Tiles(source, report)
        self._real, self._kept = Growing(), Growing()
        self._unequal: list[int] = []
        self.ops: dict[str, list[Taken]] = defaultdict(list)
        self.published: dict[tuple[str, object], str] = {}

    def verify(self) -> None:
        """Reads all of it once."""
        erased = self._erased()
        numbers = _Numbers(self._source, self._report)
        last = 0
        columns = "n, at, act, actor, object, before, after, detail, salt, leaf"
        for row in self._source.rows(f"SELECT {_quoted(columns)} FROM trail ORDER BY n"):
            n = row[0]
            if n != last + 1:
                self._missing(last + 1, n)
            self._entry(row, erased)
            numbers.compare(n, row[1], row[7])
            last = n
        self._end(last)
        numbers.end()
        self._tiles.compare()

    def _erased(self) -> dict[str, tuple[int, str]]:
        query = "SELECT n, object, detail FROM trail WHERE act = 'trail.erase' ORDER BY n"
        return {object_: (n, str(loaded(_bytes(detail)).get("reason", ""))) for n, object_, detail in
                self._source.all(query)}  # fmt: skip

    def _missing(self, first: int, found: int) -> None:
        """Entries that aren't there; the tree goes on with the hashes that it has of them."""
        if found < first:
            self._report.add(f"trail {found}", "it stands twice, or before the first")
            return
        for n in range(first, min(found, self._tiles.built + 1)):
            self._report.add(f"trail {n}", "it is missing")
            self._grow(n, self._tiles.leaf(n) or b"")
        if found > max(first, self._tiles.built + 1):
            self._report.add(f"trail {max(first, self._tiles.built + 1)}", f"missing, and all up to {found - 1}")

    def _entry(self, row: tuple[Any, ...], erased: dict[str, tuple[int, str]]) -> None:
        n, at, act, actor, object_, before, after, detail, salt, leaf = row
        salt, leaf = _bytes(salt) or b"", _bytes(leaf) or b""
        told, name = loaded(leaf), f"trail {n}"
        said = {"act": act, "actor": actor, "at": at, "n": n, "object": object_}
        wrong = [column for column in LEAF if told.get(column, b"") != said[column]]
        if wrong and told:
            self._report.add(name, f"{', '.join(wrong)} not as hashed")
        elif leaf != canonical(said | {column: told.get(column) for column in HIDDEN} | {"t": "trail/1"}):
            self._report.add(name, "leaf is not the canonical form of an entry")
        self._hidden(n, told, (_bytes(before), _bytes(after), _bytes(detail)), salt, erased.get(f"entry:{n}"))
        self._grow(n, sha256(b"\x00", leaf))
        self._report.counts["entries"] += 1
        if isinstance(act, str) and act.startswith("op."):
            verdict = loaded(_bytes(detail))
            noted = (verdict.get("verdict"), verdict.get("why"))
            self.ops[str(object_)].append(Taken(n, str(act), str(actor), str(after), str(at), noted))
        if act in PUBLISHING:
            version = loaded(_bytes(detail))
            self.published[str(object_), version.get("version")] = str(version.get("sha256"))

    def _hidden(
        self, n: int, told: dict[str, Any], kept: tuple[bytes | None, ...], salt: bytes, by: tuple[int, str] | None
    ) -> None:
        """What the leaf commits to: it opens by the salt, or all of it was erased together."""
        name = f"trail {n}"
        if not salt and kept == (None, None, None) and any(told.get(column) for column in HIDDEN):
            if by is None:
                self._report.add(name, "what it hid is gone, and no entry says that it was erased")
            else:
                self._report.notes.append(f"trail {n}: erased by entry {by[0]} ({by[1]})")
            return
        for column, value in zip(HIDDEN, kept, strict=True):
            if told.get(column) != (None if value is None else sha256(sha256(salt, column.encode()), value).hex()):
                self._report.add(name, f"{column} or salt not as committed to")
        if salt and kept == (None, None, None):
            self._report.add(name, "a salt with nothing that it is for")

    def _grow(self, n: int, leaf: bytes) -> None:
        kept = self._tiles.leaf(n)
        if kept is not None and leaf and kept != leaf:
            self._unequal.append(n)
        self._real.add(leaf or kept or bytes(BYTES))
        self._kept.add(kept or leaf or bytes(BYTES))
        if self._checkpoints.compare(self._real, self._kept):
            self._settle()

    def _settle(self) -> None:
        """What was signed says whether an entry was changed or the tile that keeps its hash; both go on from there."""
        is_entry = not self._checkpoints.is_as_signed(self._real)
        for n in self._unequal:
            row = f"trail {n}" if is_entry else f"log_tile 0/{(n - 1) // WIDTH}"
            self._report.add(row, "its hash is not the one in the tree" if is_entry else f"another hash of entry {n}")
        self._unequal.clear()
        if not is_entry:
            self._kept.like(self._real)
        elif self._checkpoints.is_as_signed(self._kept):
            self._real.like(self._kept)

    def _end(self, last: int) -> None:
        counted = int(next(iter(self._source.all("SELECT value FROM counter WHERE name = 'trail'")), (0,))[0])
        if counted != last:
            self._report.add("counter trail", f"it says {counted}, and the last entry is {last}")
        if self._tiles.built > last:
            self._report.add("counter log", f"the tree has {self._tiles.built} entries, and the trail {last}")
        self._checkpoints.end(last)
        self._settle()


class Published:
    """Every version of a result that went public, beside the entries that say what went public."""

    def __init__(self, source: Source, report: Report, said: dict[tuple[str, object], str]) -> None:
        self._source, self._report, self._said = source, report, said

    def verify(self) -> None:
        """Reads all of them once: the bytes have their hash, an entry names it, and none that one names is gone."""
        for id_, version, body, digest in self._source.rows(
            "SELECT publication_id, version, body, sha256 FROM publication_version ORDER BY publication_id, version"
        ):
            name, object_ = f"publication_version {id_} {version}", f"publication:{id_}"
            said = self._said.pop((object_, version), None)
            if sha256(_bytes(body) or b"").hex() != digest:
                self._report.add(name, "its bytes are not those of its hash")
            if said is None and (object_, None) not in self._said:  # an erased entry no longer says which
                self._report.add(name, "no entry says that it went public")
            elif said is not None and said != digest:
                self._report.add(name, "the trail has another hash of it")
            self._report.counts["published versions"] += 1
        for object_, gone in self._said:
            if gone is not None:
                self._report.add(f"publication_version {object_.partition(':')[2]} {gone}", "it is missing")


class _Numbers:
    """The numbers of documents by which entries are found, beside the entries that name them."""

    def __init__(self, source: Source, report: Report) -> None:
        self._rows = source.rows("SELECT n, number, at FROM trail_number ORDER BY n, number")
        self._report = report
        self._next = next(self._rows, None)

    def compare(self, n: int, at: str, detail: object) -> None:
        """Looks whether just the numbers in an entry's detail are there; of an erased one any may be."""
        told = {text for name in NUMBERS if isinstance(text := loaded(_bytes(detail)).get(name), str)}
        told = {text for text in told if 0 < len(text) <= 120}
        found = set()
        while self._next is not None and self._next[0] <= n:
            its, number, when = self._next
            found.add(number)
            if its != n or when != at or (detail is not None and number not in told):
                self._report.add(f"trail_number {number} of entry {its}", "no entry says so")
            self._next = next(self._rows, None)
        for number in told - found:
            self._report.add(f"trail {n}", f"it isn't found by its number {number}")

    def end(self) -> None:
        """What is left belongs to no entry."""
        while self._next is not None:
            self._report.add(f"trail_number {self._next[1]} of entry {self._next[0]}", "no entry says so")
            self._next = next(self._rows, None)


def _bytes(value: object) -> bytes | None:
    """Bytes as the database gives them; a text that stands where bytes should is what it says."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return None if value is None else bytes(value)  # type: ignore[call-overload]


def _quoted(columns: str) -> str:
    return ", ".join(f'"{name}"' for name in columns.split(", "))


# --- checkpoints ------------------------------------------------------------------------------------------------------


class Checkpoints:
    """What was signed: by the log, by its witnesses, and what somebody took home."""

    def __init__(self, source: Source, report: Report, taken: Iterable[Path], log_key: str | None) -> None:
        self._report = report
        self._keys = [str(key) for (key,) in source.all("SELECT key FROM log_key ORDER BY place")]
        self._trusted = [log_key] if log_key else self._keys
        self._witnesses = dict(source.all("SELECT name, key FROM log_witness"))
        self._waiting: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        self._texts: dict[int, str] = {}
        self._signed: set[bytes] = set()
        self._keys_vouched(source)
        for size, root, note in source.all("SELECT size, root, note FROM log_checkpoint ORDER BY size"):
            self._expect(f"log_checkpoint {size}", note, size, root)
        self._cosignatures(source)
        for path in taken:
            self._expect(str(path), path.read_text(), None, None)

    def _keys_vouched(self, source: Source) -> None:
        before = None
        for place, origin, key, note in source.all("SELECT place, origin, key, note FROM log_key ORDER BY place"):
            name = f"log_key {place}"
            if read_key(key) is None:
                self._report.add(name, "it is no key")
            elif str(key).partition("+")[0] != origin:
                self._report.add(name, "it isn't named for the log's origin")
            elif note is not None:
                said = f"{origin}\nnew key\n{key}\n"
                lines = take_apart(note)[1]
                if take_apart(note)[0] != said or not {before, key} <= {k for k in (before, key) if by(k, said, lines)}:
                    self._report.add(name, "its note isn't signed by the key before it and by itself")
            elif before is not None:
                self._report.notes.append(f"log_key {place}: no earlier key vouches for it")
            before = key

    def _expect(self, name: str, note: str, size: int | None, root: str | None) -> None:
        text, lines = take_apart(note)
        tree = text.split("\n")
        signed = unpack(tree[2]) if len(tree) == 4 else b""
        if len(signed) != BYTES or not re.fullmatch(r"0|[1-9][0-9]{0,15}", tree[1]):
            self._report.add(name, "its note is no checkpoint")
            return
        if size is not None and (int(tree[1]), signed.hex()) != (size, root):
            self._report.add(name, "size or root isn't what its note says")
        if tree[0] not in {key.partition("+")[0] for key in self._trusted}:
            self._report.add(name, f"it is of another log, {tree[0]}")
        elif not any(by(key, text, lines) for key in self._trusted):
            self._report.add(name, "the log's signature isn't good")
        if size is not None and len(lines) != 1:
            self._report.add(name, "there is more than the log's signature under it")
        self._report.counts["checkpoints"] += 1
        self._waiting[int(tree[1])].append((name, signed))
        if size is not None:
            self._texts[size] = text

    def _cosignatures(self, source: Source) -> None:
        for size, witness, line in source.all("SELECT size, witness, line FROM log_cosignature"):
            key, lines = self._witnesses.get(witness, ""), take_apart(f"x\n\n{line}")[1]
            if not any(by(key, self._texts.get(size, ""), [one], WITNESS) for one in lines) or not str(line).endswith(
                "\n"
            ):
                self._report.add(f"log_cosignature {size} of {witness}", "the witness's signature isn't good")
            self._report.counts["cosignatures"] += 1

    def compare(self, real: Growing, kept: Growing) -> bool:
        """Looks whether what was signed at this size is what the entries make, or at least what the tree kept."""
        here = self._waiting.pop(real.size, [])
        self._signed = {signed for _, signed in here}
        for name, signed in here:
            if signed not in (real.root, kept.root):
                self._report.add(name, "neither the entries nor the kept tree make the root that was signed")
        return bool(here)

    def is_as_signed(self, tree: Growing) -> bool:
        """Whether a checkpoint of this size, if there is one, signed this root."""
        return tree.root in self._signed

    def end(self, last: int) -> None:
        """What was signed of the empty log, and of more than there is."""
        for name, signed in self._waiting.pop(0, []):
            if signed != sha256(b""):
                self._report.add(name, "the root of the empty log is another")
        for size, names in self._waiting.items():
            for name, _ in names:
                self._report.add(name, f"it says {size} entries, and the trail has {last}")


def unpack(text: str) -> bytes:
    """Base64 as it is written here, to the last bit; nothing where it isn't."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return found if base64.b64encode(found).decode() == text else b""


def read_key(text: object) -> tuple[str, bytes, bytes] | None:
    """Name, kind and public key of a line `name+hash+key`."""
    name, _, rest = str(text).partition("+")
    digest, _, body = rest.partition("+")
    raw = unpack(body)
    own = hashlib.sha256(name.encode("utf-8", "surrogateescape") + b"\n" + raw).hexdigest()[:8]
    if len(raw) != 33 or own != digest:
        return None
    return name, raw[:1], raw[1:]


def take_apart(note: object) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note, and each signature under it; a note with anything else in it has neither."""
    head, _, tail = str(note).rpartition("\n\n")
    lines = [re.fullmatch(rf"{DASH}(\S+) (\S+)", line) for line in tail[:-1].split("\n")]
    if not tail.endswith("\n") or not all(lines):
        return "", []
    return head + "\n", [(line[1], unpack(line[2])) for line in lines if line is not None]


def by(key: object, text: str, lines: Iterable[tuple[str, bytes]], kind: bytes = LOG) -> bool:
    """Whether a key's signature over a text is among these lines."""
    found = read_key(key)
    if found is None or found[1] != kind:
        return False
    for name, raw in lines:
        if name == found[0] and raw[:4] == hashlib.sha256(name.encode() + b"\n" + kind + found[2]).digest()[:4]:
            message, signature = text.encode("utf-8", "surrogateescape"), raw[4:]
            if kind == WITNESS:
                seconds, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
                message = f"cosignature/v1\ntime {seconds}\n".encode() + message
            if _is_signed(found[2], message, signature):
                return True
    return False


def _is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# --- the journal ------------------------------------------------------------------------------------------------------


class Journal:
    """The operations: their bytes, their chain, their signatures, and the entries of the trail that took them."""

    def __init__(self, source: Source, report: Report, ops: dict[str, list[Taken]]) -> None:
        self._source, self._report, self._ops = source, report, ops
        self._devices: dict[str, Any] = {}
        self._server: Any = None
        self._numbers: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._told: dict[str, tuple[str, str | None]] = {}

    def verify(self, keys: Path | None) -> None:
        """Reads all of it once, visit by visit and replica by replica."""
        self._read_devices()
        self._server = _server_key(keys)
        if self._server is None:
            self._report.notes.append("the server's key isn't here (--keys): its own operations weren't checked by it")
        self._apart = set(self._source.all("SELECT visit_id, rid, seq FROM apart"))
        self._decisions()
        before: tuple[Any, ...] = ("", "", 0)
        columns = (
            "visit_id, rid, seq, n, kind, author, hash, body, received_at, verdict, reason, standing, standing_reason,"
            " waits_for, carrier"
        )
        last_hash, buried = "", set[int]()
        for row in self._source.rows(f"SELECT {_quoted(columns)} FROM op ORDER BY visit_id, rid, seq"):
            if row[:2] != before[:2]:
                last_hash, buried = "", set()
            if row[2] < 0:
                buried.add(-row[2])
            is_next = row[:2] == before[:2] and row[2] == before[2] + 1
            checked = row[2] == 1 or (is_next and before[3] and row[2] - 1 not in buried)
            prev = (last_hash if row[2] != 1 else "") if checked and row[9] != "held" else None
            is_op = self._op(row, prev)
            before, last_hash = (*row[:3], is_op), row[6]
        self._left_over()
        self._heads()
        self._kept_apart()
        self._reaches()

    def _read_devices(self) -> None:
        enrolled = dict(
            self._source.all("SELECT object, after FROM trail WHERE act = 'device.enrol' AND after IS NOT NULL")
        )
        for rid, key in self._source.all("SELECT rid, public_key FROM device"):
            jwk = key if isinstance(key, dict) else loaded(key)
            self._devices[rid] = _public(jwk)
            told = enrolled.get(f"device:{rid}")
            if told is not None and told != hashlib.sha256(canonical(jwk)).hexdigest():
                self._report.add(f"device {rid}", "its key is not the one that was enrolled")

    def _decisions(self) -> None:
        """What the server's own ops decided of others since, the last of them in the order of `n`."""
        query = "SELECT visit_id, kind, body FROM op WHERE kind IN ('rule', 'admit') AND standing = 'ok' ORDER BY n"
        for visit, kind, body in self._source.rows(query):
            op = loaded(_bytes(body))
            try:
                name, val = f"{visit} {op['path'][1]}", op["val"]
                why = val.get("reason") if kind == "rule" else None
                self._told[name] = (
                    "ok" if kind == "admit" else val["verdict"],
                    why if why is None else str(why).replace("\0", "")[:32],
                )
            except (KeyError, IndexError, TypeError):
                continue

    def _op(self, row: tuple[Any, ...], prev: str | None) -> bool:
        """One row; whether it is an op, and no tombstone in the place of one."""
        visit, rid, seq, _, kind, author, hash_, body, _, verdict = row[:10]
        name = f"op {visit} {rid}:{seq}"
        self._report.counts["operations"] += 1
        body = _bytes(body) or b""
        if verdict == "dead" and not body:
            self._taken(name, row)
            self._beside(name, row)
            return False
        op = loaded(body)
        signed, sig = without_signature(body)
        if hashlib.sha256(signed).hexdigest() != hash_:
            self._report.add(name, "its bytes have another hash")
        said = (op.get("visit"), op.get("rid"), op.get("seq"))
        if said != (visit, rid, seq):
            self._report.add(name, f"its bytes are those of {said[0]} {said[1]}:{said[2]}")
        if kind not in (op.get("kind"), "", str(op.get("kind"))[:32]):
            self._report.add(name, "kind not as in its bytes")
        if author != (op.get("author") if isinstance(op.get("author"), str) else author):
            self._report.add(name, "author not as in its bytes")
        if prev is not None and op.get("prev") != prev:
            self._report.add(name, "it doesn't follow on the op before it")
        key = self._server if SERVER.match(str(rid)) else self._devices.get(rid)
        if key is None and not SERVER.match(str(rid)):
            self._report.add(name, "no device is known by which it was signed")
        elif key is not None and not _is_signed_p256(key, signed, sig):
            self._report.add(name, "its device's signature isn't good")
        self._taken(name, row)
        self._beside(name, row)
        return True

    def _taken(self, name: str, row: tuple[Any, ...]) -> None:
        """The trail's entry that took it: its hash, who, what and when."""
        visit, rid, seq, _, kind, author, hash_, _, received_at = row[:9]
        lists = [self._ops.get(f"op:{visit}:{rid}:{at}", []) for at in (seq, -seq)]  # a tombstone may have moved since
        entries = next((one for one in lists if any(entry.hash == hash_ for entry in one)), None)
        if entries is None:
            self._report.add(name, "no entry of the trail took an op of this hash")
            return
        found = next(entry for entry in entries if entry.hash == hash_)
        entries.remove(found)
        was_held = found.noted[0] == "held"  # it was judged when what it waited for had come
        for what, here, there in (
            ("kind", f"op.{kind or 'dead'}", found.act),
            ("author", author or rid, found.actor),
            ("received_at", received_at, found.at),
            ("verdict or reason", found.noted if was_held else row[9:11], found.noted),
        ):
            if here != there:
                self._report.add(name, f"{what} not as entry {found.n} of the trail says")

    def _beside(self, name: str, row: tuple[Any, ...]) -> None:
        """What the server noted beside the op: no signature covers it, but it has to fit together."""
        visit, rid, seq, n = row[:4]
        verdict, reason, standing, standing_reason, waits_for, carrier = row[9:]
        if n is not None:
            self._numbers[visit].append((n, name))
        if {verdict, standing} - VERDICTS or reason not in REASONS:
            self._report.add(name, "there is no such verdict or reason")
        if waits_for not in (_named(row) if verdict == "held" else (None,)):
            self._report.add(name, "it can't wait for what waits_for says")
        if verdict == "held" and n is not None:
            self._report.add(name, "it is held and has a number")
        if carrier is not None and carrier not in self._devices:
            self._report.add(name, "no device is known that carried it")
        told = self._told.get(f"{visit} {rid}:{seq}", (verdict, None if verdict == "ok" else reason))
        if verdict not in ("held", "dead") and (standing, standing_reason) != told:
            self._report.add(name, "standing is not what its verdict and the decisions since make it")

    def _left_over(self) -> None:
        """Entries of ops that aren't there any more."""
        for object_, entries in self._ops.items():
            for entry in entries:
                _, visit, rid, seq = (*object_.split(":"), "", "", "")[:4]
                place = (visit, rid, int(seq) if seq.lstrip("-").isdigit() else None)
                if place not in self._apart or entry.act == "op.dead":  # a held op that was a fork lies apart since
                    self._report.add(f"trail {entry.n}", f"the op {visit} {rid}:{seq} that it took is gone or altered")

    def _heads(self) -> None:
        """The numbers of a visit are dense up to its head."""
        for visit, head in self._source.all("SELECT id, head FROM visit"):
            given = sorted(self._numbers.pop(visit, []))
            for n, name in given:
                if not 1 <= n <= head:
                    self._report.add(name, f"number {n} lies beyond the visit's head {head}")
            missing = sorted(set(range(1, head + 1)) - {n for n, _ in given})
            if missing:
                self._report.add(f"visit {visit}", f"no op has the number {', '.join(map(str, missing[:20]))}")
        for visit, left in self._numbers.items():
            for _, name in left:
                self._report.add(name, f"it has a number, and there is no visit {visit}")

    def _kept_apart(self) -> None:
        columns = "id, kind, visit_id, rid, seq, sha256, body, received_at, carrier"
        for id_, kind, _, _, _, digest, body, _, carrier in self._source.rows(f"SELECT {_quoted(columns)} FROM apart"):
            body = _bytes(body) or b""
            if len(body) < MOST_APART and hashlib.sha256(body).hexdigest() != digest:
                self._report.add(f"apart {id_}", "its bytes have another hash")
            if kind not in ("fork", "dead"):
                self._report.add(f"apart {id_}", "there is no such kind")
            if carrier is not None and carrier not in self._devices:
                self._report.add(f"apart {id_}", "no device is known that carried it")
            self._report.counts["bodies apart"] += 1

    def _reaches(self) -> None:
        query = (
            "SELECT r.visit_id, r.rid, r.acked, r.last_hash, o.hash, o.verdict FROM replica r"
            " LEFT JOIN op o ON o.visit_id = r.visit_id AND o.rid = r.rid AND o.seq = r.acked"
        )
        for visit, rid, acked, last, hash_, verdict in self._source.rows(query):
            if acked and (hash_ is None or (last != hash_ and not (verdict == "dead" and last == ""))):
                self._report.add(f"replica {visit} {rid}", f"it doesn't end at the op {acked} that is there")


def _named(row: tuple[Any, ...]) -> set[str]:
    """What a held op may wait for: the one before it, and those that its author says to have received."""
    ctx = loaded(_bytes(row[7])).get("ctx")
    return {f"{row[1]}:{row[2] - 1}", *(f"{rid}:{seq}" for rid, seq in (ctx.items() if isinstance(ctx, dict) else ()))}


def without_signature(body: bytes) -> tuple[bytes, str]:
    """The bytes of an op that were hashed and signed, and its signature, which is the member `sig` cut out of them."""
    try:
        text = body.decode()
        at, start, end, sig = 1, 0, 0, ""
        decoder = json.JSONDecoder()
        while text[at] == '"':
            name, after = decoder.raw_decode(text, at)
            value, stop = decoder.raw_decode(text, after + 1)
            if name == "sig":
                start, end, sig = at, stop, value if isinstance(value, str) else ""
            if text[stop] != ",":
                break
            at = stop + 1
    except (ValueError, IndexError, RecursionError):
        return body, ""
    if end and text[end] == ",":
        end += 1
    elif end and text[start - 1] == ",":
        start -= 1
    return (text[:start] + text[end:]).encode(), sig


def _is_signed_p256(key: ec.EllipticCurvePublicKey, message: bytes, sig: str) -> bool:
    """Whether r and s in base64url, written just so, are a key's signature."""
    try:
        raw = base64.urlsafe_b64decode(sig + "==")
        if len(raw) != 64 or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != sig:
            return False
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _public(jwk: dict[str, Any]) -> Any:
    try:
        x, y = (int.from_bytes(base64.urlsafe_b64decode(str(jwk[name]) + "=="), "big") for name in ("x", "y"))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except (KeyError, ValueError, binascii.Error):
        return None


def _server_key(folder: Path | None) -> Any:
    path = None if folder is None else folder / "server.pem"
    if path is None or not path.exists():
        return None
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    return private.public_key() if isinstance(private, ec.EllipticCurvePrivateKey) else None


# --- the command ------------------------------------------------------------------------------------------------------


def verify(source: Source, keys: Path | None, taken: Iterable[Path], log_key: str | None) -> Report:
    """All that there is to look at, once."""
    report = Report()
    checkpoints = Checkpoints(source, report, taken, log_key)
    trail = Trail(source, report, checkpoints)
    trail.verify()
    Journal(source, report, trail.ops).verify(keys)
    Published(source, report, trail.published).verify()
    return report


def add_arguments(parser: argparse.ArgumentParser, *, alone: bool = False) -> None:
    """What the command is told; as a command of the server it knows where the database and the keys are."""
    if alone:
        parser.add_argument("database", type=Path, nargs="?", help="file of SQLite")
    parser.add_argument("--postgres", metavar="URL", help="read this PostgreSQL instead")
    parser.add_argument("--keys", type=Path, help="folder of the server's keys, to check its own operations by")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint that somebody took home; repeatable"
    )
    parser.add_argument("--log-key", help="the log's key as somebody noted it; without it those in the database count")


def run(database: Path | None, given: argparse.Namespace) -> int:
    """Verifies, and says what was found."""
    try:
        return verify(Source(database, given.postgres), given.keys, given.checkpoint, given.log_key).print()
    except Cannot as fault:
        print(fault, file=sys.stderr)
    except (OSError, UnicodeDecodeError) as fault:
        print(f"It cannot be read: {fault}", file=sys.stderr)
    except Exception as fault:
        if type(fault).__module__.partition(".")[0] not in ("sqlite3", "psycopg"):
            raise
        print(f"The database cannot be read: {str(fault).strip().splitlines()[0]}", file=sys.stderr)
    return CANNOT


def main() -> int:
    """`python verify_trail.py FILE` or `python verify_trail.py --postgres URL`."""
    parser = argparse.ArgumentParser(prog="verify_trail.py", description=(__doc__ or "").partition("\n")[0])
    add_arguments(parser, alone=True)
    given = parser.parse_args()
    return run(given.database, given)


if __name__ == "__main__":
    sys.exit(main())
