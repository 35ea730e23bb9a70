"""The server's own check of published draws: everything is computed again from what stands in the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
import rfc8785

from server.domain import draw as lot
from server.domain.draw_check_officers import Given, Officers, check_match
from server.domain.draw_file import KIND, record_of, sealed
from server.domain.draw_sources import LEAST_BITS, Source, is_honest, is_value, normal_value
from server.domain.drawing import FLOOR_GROUNDS, Excused, Void

_SHARE: Final = 20


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
    officers: Officers | None
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
        _check_officers(file, say)
        return
    if None in (file.prev, file.frame, file.rules, file.commit, file.committed_at, file.secret):
        say("form", "parts of the draw are missing")
        return
    rows = _rows(file, say)
    rules = _rules(file, say)
    _check_commitment(file, lot.ALG, say)
    _check_sources(file, [one.id for one in file.sources] if rules is None else rules.get("sources"), say)
    if file.seed is None:
        _check_undrawn(file, say)
    elif rows is not None and rules is not None:
        _check_drawn(file, rows, rules, say)
    _check_void(file.void, say)
    _check_officers(file, say)


def _check_void(void: Void | None, say: Say) -> None:
    if void is not None and not (void.reason and void.by and void.at):
        say("void", "it says neither why nor who")


def _check_officers(file: File, say: Say) -> None:
    part = file.officers
    if part is None:
        return

    def told(name: str, said: str) -> None:
        say(f"officers.{name}", said)

    if lot.digest(part.frame) != part.frame_digest:
        told("frame", "its digest is another one")
    if lot.digest(part.rules) != part.rules_digest:
        told("rules", "their digest is another one")
    _check_commitment(part, part.alg, told)
    _check_sources(part, [one.id for one in part.sources], told)
    if part.seed is not None:
        given = [(one.k, one.v) for one in part.contributions]
        if lot.seed_of(part.commit, part.secret, given, part.alg) != part.seed:
            told("seed", "commitment, secret and contributions don't give it")
    _check_void(part.void, told)
    check_match(part, file.task, say)


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
            if rules.get("task", file.task) != file.task:
                say("rules", "they are those of another task")
            return dict(rules)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    say("rules", "they are not canonical rules of this lot")
    return None


def _check_commitment(file: File | Officers, alg: str, say: Say) -> None:
    parts = (file.prev or "", file.frame_digest or "", file.rules_digest or "", file.secret or "")
    if lot.commit_of(*parts, alg) != file.commit:
        say("commit", "list, rules, secret and the one before don't give it")
        say("secret", "it doesn't open the commitment")


def _check_sources(file: File | Officers, committed: object, say: Say) -> None:
    ids = [one.id for one in file.sources]
    if committed != ids:
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


def _check_chain(read: Sequence[tuple[int, File]]) -> list[Finding]:
    """Every commitment once, each on the one before, none missing; attempts follow voids. Per algorithm."""
    subjects = [(place, _link(file, file)) for place, file in read]
    officers = [(place, _link(file, file.officers)) for place, file in read if file.officers is not None]
    return _check_links(subjects, "") + _check_links(officers, "officers.")


class Link(NamedTuple):
    """One commitment as a file has it."""

    no: str
    attempt: int
    prev: str
    commit: str
    is_void: bool
    committed: tuple[object, ...]
    given: Sequence[Given]
    seed: str | None

    def agrees(self, other: Link) -> bool:
        """Whether two files of one commitment say the same wherever both say something."""
        same = self[:4] == other[:4] and self.committed == other.committed
        given = all(a == b for a, b in zip(self.given, other.given, strict=False))
        return same and given and (None in (self.seed, other.seed) or self.seed == other.seed)


def _link(file: File, part: File | Officers) -> Link:
    committed = (part.frame, part.rules, part.sources, part.committed_at, part.secret)
    is_void = part.void is not None
    return Link(
        file.no, part.attempt, part.prev or "", part.commit or "", is_void, committed, part.contributions, part.seed
    )


def _check_links(read: Sequence[tuple[int, Link]], lottery: str) -> list[Finding]:
    links: dict[str, Link] = {}
    places: dict[str, int] = {}
    found: list[Finding] = []
    for place, link in read:
        if not link.commit:
            continue  # another office drew
        known = links.get(link.commit, link)
        if not known.agrees(link):
            said = "two files of one commitment differ in what was committed, given or drawn"
            found.append(Finding(f"{lottery}chain", said, place))
        links[link.commit] = link if link.is_void else known
        places.setdefault(link.commit, place)
    if len(links) > 1:  # of a single draw nobody can say what lies between its attempts
        several = len({link.no for link in links.values()}) > 1
        found += _check_order(links, places, lottery, several=several)
        found += _check_attempts(links, places, lottery)
    return found


def _check_order(links: Mapping[str, Link], places: Mapping[str, int], lottery: str, *, several: bool) -> list[Finding]:
    found: list[Finding] = []
    after: set[str] = set()
    for commit, link in links.items():
        if link.prev in after:
            found.append(Finding(f"{lottery}chain", "two commitments stand on the same one", places[commit]))
        if several and link.prev != lot.ROOT and link.prev not in links:
            said = f"the one before, {link.prev[:16]}, is missing"
            found.append(Finding(f"{lottery}chain", said, places[commit]))
        after.add(link.prev)
    if several and lot.ROOT not in after:
        found.append(Finding(f"{lottery}chain", "the first commitment is missing"))
    return found


def _check_attempts(links: Mapping[str, Link], places: Mapping[str, int], lottery: str) -> list[Finding]:
    void = {(link.no, link.attempt) for link in links.values() if link.is_void}
    return [
        Finding(f"{lottery}void", f"attempt {earlier} of {link.no} is missing or isn't void", places[commit])
        for commit, link in links.items()
        for earlier in range(1, link.attempt)
        if (link.no, earlier) not in void
    ]
