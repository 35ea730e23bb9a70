"""The server's own check of published draws: everything is computed again from what stands in the files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
import rfc8785

from server.domain import draw as lot
from server.domain.draw_file import KIND, record_of, sealed
from server.domain.draw_sources import LEAST_BITS, Source, is_honest, is_value, normal_value
from server.domain.drawing import FLOOR_GROUNDS, Excused, Void

_SHARE: Final = 20


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contribution as a file has it."""

    k: str
    v: str
    at: str
    by: str
    evidence: str | None


class Joint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who drew instead of us."""

    lead: str
    document: str
    sha256: str
    codes: list[str]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A published file: every part is there, and no other."""

    t: Literal["draw/1"]
    no: str
    office: str
    task: str
    attempt: int
    prev: str | None
    frame: str | None
    frame_digest: str | None
    rules: str | None
    rules_digest: str | None
    sources: list[Source]
    commit: str | None
    committed_at: str | None
    contributions: list[Given]
    secret: str | None
    seed: str | None
    quotas: dict[str, int]
    winners: dict[str, list[str]]
    reserve: dict[str, list[str]]
    excused: list[Excused]
    officers: dict[str, Any] | None
    void: Void | None
    record: str
    joint: Joint | msgspec.UnsetType = msgspec.UNSET


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a part of a file; `file` is its place among those given, from 0."""

    part: str
    said: str
    file: int = 0


Say = Callable[[str, str], None]


def check(*bodies: bytes) -> list[Finding]:
    """Everything that is wrong with some files and with the chain that they form; empty where all is well."""
    found: list[Finding] = []
    read: list[tuple[int, File]] = []
    for place, body in enumerate(bodies):

        def say(part: str, said: str, place: int = place) -> None:
            found.append(Finding(part, said, place))

        file = _read(body, say)
        if file is not None:
            _check_one(file, say)
            read.append((place, file))
    return found + _check_chain(read)


def _read(body: bytes, say: Say) -> File | None:
    try:
        file = msgspec.json.decode(body, type=File)
        plain = msgspec.json.decode(body)
        is_canonical = rfc8785.dumps(plain) + b"\n" == body
    except (msgspec.DecodeError, rfc8785.CanonicalizationError, UnicodeError) as fault:
        say("form", f"it is no {KIND} file: {fault}")
        return None
    if not is_canonical:
        say("form", "it isn't canonical JSON with one line end")
    if record_of(sealed(plain)) != file.record:
        say("record", "the hash of the file isn't that of its parts")
    return file


# --- one file ---------------------------------------------------------------------------------------------------------


def _check_one(file: File, say: Say) -> None:
    if isinstance(file.joint, Joint):
        if file.frame is not None or file.commit is not None or file.seed is not None or file.winners:
            say("form", "another office drew, and yet there is a draw here")
        return
    if None in (file.prev, file.frame, file.rules, file.commit, file.committed_at, file.secret):
        say("form", "parts of the draw are missing")
        return
    rows = _rows(file, say)
    rules = _rules(file, say)
    _check_commitment(file, say)
    _check_sources(file, rules, say)
    if file.seed is None:
        _check_undrawn(file, say)
    elif rows is not None and rules is not None:
        _check_drawn(file, rows, rules, say)
    if file.void is not None and not (file.void.reason and file.void.by and file.void.at):
        say("void", "it says neither why nor who")


def _rows(file: File, say: Say) -> list[lot.Row] | None:
    if lot.digest(file.frame or "") != file.frame_digest:
        say("frame", "its digest is another one")
    try:
        return lot.parse_frame(file.frame or "")
    except lot.BadFrame as fault:
        say("frame", str(fault))
        return None


def _rules(file: File, say: Say) -> dict[str, Any] | None:
    if lot.digest(file.rules or "") != file.rules_digest:
        say("rules", "their digest is another one")
    try:
        rules = json.loads(file.rules or "")
        if lot.canonical(rules) == file.rules and rules["alg"] == lot.ALG and rules["mode"] in ("ratio", "total"):
            return dict(rules)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    say("rules", "they are not canonical rules of this lot")
    return None


def _check_commitment(file: File, say: Say) -> None:
    parts = (file.prev or "", file.frame_digest or "", file.rules_digest or "", file.secret or "")
    if lot.commit_of(*parts) != file.commit:
        say("commit", "list, rules, secret and the one before don't give it")


def _check_sources(file: File, rules: Mapping[str, Any] | None, say: Say) -> None:
    ids = [one.id for one in file.sources]
    if rules is not None and rules.get("sources") != ids:
        say("sources", "they are not those that were committed")
    if len(set(ids)) != len(ids) or not all(map(is_honest, file.sources)):
        say("sources", "one is there twice or claims other bits than its kind has")
    if sum(one.bits for one in file.sources) < LEAST_BITS:
        say("sources", f"together they have less than {LEAST_BITS} bits")
    given = [one.k for one in file.contributions]
    if given != (ids[: len(given)] if file.seed is None else ids):
        say("contributions", "they are not those of the sources, in their order")
    by_id = {one.id: one for one in file.sources}
    for one in file.contributions:
        if one.at < (file.committed_at or ""):
            say("contributions", f"{one.k} is stamped before the commitment")
        if one.k in by_id and (normal_value(one.v) != one.v or not is_value(by_id[one.k], one.v)):
            say("contributions", f"{one.k} can't have brought {one.v!r}")


def _check_undrawn(file: File, say: Say) -> None:
    if file.void is None:
        say("seed", "nothing was drawn, and it isn't void")
    for part in ("quotas", "winners", "reserve", "excused"):
        if getattr(file, part):
            say(part, "nothing was drawn")


def _check_drawn(file: File, rows: Sequence[lot.Row], rules: Mapping[str, Any], say: Say) -> None:
    seed = file.seed or ""
    given = [(one.k, one.v) for one in file.contributions]
    if lot.seed_of(file.commit or "", file.secret or "", given) != seed:
        say("seed", "commitment, secret and contributions don't give it")
    try:
        quotas = lot.quotas(lot.sizes(rows), rules, seed)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        say("rules", "they don't say how many each class has")
        return
    if file.quotas != quotas or min(quotas.values(), default=0) < 0:
        say("quotas", f"they would be {quotas}")
    won = lot.draw(lot.candidates(rows), quotas, seed)
    for part, wanted in (("winners", won.winners), ("reserve", won.reserve)):
        if getattr(file, part) != wanted:
            say(part, "the tickets give others")
    _check_floor(sum(quotas.values()), rules, say)
    _check_excused(file, won, say)


def _check_floor(n: int, rules: Mapping[str, Any], say: Say) -> None:
    floor = rules.get("floor")
    if floor is None:
        if _SHARE * n < rules.get("base", 0):
            say("floor", f"{n} is less than 5 % of {rules['base']}")
    elif not isinstance(floor, dict) or floor.get("why") not in FLOOR_GROUNDS or not floor.get("document"):
        say("floor", "it stays below 5 % without a ground and a document")


def _check_excused(file: File, won: lot.Winners, say: Say) -> None:
    listed = {code: name for name, codes in won.winners.items() for code in codes}
    left = {name: list(codes) for name, codes in won.reserve.items()}
    for one in file.excused:
        name = listed.pop(one.code, None)
        if name is None:
            say("excused", f"{one.code} isn't on the list")
            continue
        next = left[name].pop(0) if left[name] else None
        if one.next != next or not one.reason:
            say("excused", f"after {one.code} it is the turn of {next}, with a reason")
        if next is not None:
            listed[next] = name


# --- the chain --------------------------------------------------------------------------------------------------------


def _check_chain(read: Iterable[tuple[int, File]]) -> list[Finding]:
    """Every commitment once, each on the one before, none missing; attempts follow voids."""
    links: dict[str, tuple[int, File]] = {}
    found: list[Finding] = []
    for place, file in read:
        if file.commit is None:
            continue
        known = links.setdefault(file.commit, (place, file))[1]
        if _committed(known) != _committed(file):
            found.append(Finding("chain", "two files of one commitment differ in what was committed", place))
        if file.void is not None:
            links[file.commit] = (place, file)
    if len(links) > 1:
        found += _check_links(links)
        found += _check_attempts(links)
    return found


def _committed(file: File) -> tuple[object, ...]:
    return file.no, file.attempt, file.prev, file.frame, file.rules, file.sources, file.committed_at, file.secret


def _check_links(links: Mapping[str, tuple[int, File]]) -> list[Finding]:
    found, before = [], defaultdict[str, list[str]](list)
    for commit, (place, file) in links.items():
        before[file.prev or ""].append(commit)
        if len(before[file.prev or ""]) > 1:
            found.append(Finding("chain", "two commitments stand on the same one", place))
        if file.prev != lot.ROOT and file.prev not in links:
            found.append(Finding("chain", f"the one before, {(file.prev or '')[:16]}, is missing", place))
    if lot.ROOT not in before:
        found.append(Finding("chain", "the first commitment is missing"))
    return found


def _check_attempts(links: Mapping[str, tuple[int, File]]) -> list[Finding]:
    attempts = {(file.no, file.attempt): file for _, file in links.values()}
    return [
        Finding("void", f"attempt {earlier} of {file.no} is missing or isn't void", place)
        for place, file in links.values()
        for earlier in range(1, file.attempt)
        if (file.no, earlier) not in attempts or attempts[file.no, earlier].void is None
    ]
