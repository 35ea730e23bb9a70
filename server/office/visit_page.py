"""One visit as the office reads it: the record's view, the history and the registries, put together for the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from server.domain.result import nothing_inspected
from server.office.history import Said, field_key, said
from server.store.reviews import Past, Received, Review, SetAside


class Point(msgspec.Struct, frozen=True):
    """One point of the checklist with its answer; `number` is "section.place"."""

    id: str
    number: str
    text: str
    basis: str
    verdict: str | None
    note: str | None
    photos: list[str]


class Section(msgspec.Struct, frozen=True):
    """A section of the checklist, in the template's order."""

    name: str
    points: list[Point]


class Fields(dict[str, Any]):
    """The fields of a record as a page asks for them: one that nobody filled in is None, and so within objects.

    The fold takes any value of the right JSON kind, so an object may lack what a page would show of it.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__({name: _soft(value) for name, value in fields.items()})

    def __missing__(self, key: str) -> None:
        return None


def _soft(value: Any) -> Any:
    if isinstance(value, dict):
        return Fields(value)
    return [_soft(part) for part in value] if isinstance(value, list) else value


class Finding(msgspec.Struct, frozen=True):
    """One finding; `number` counts all that were ever recorded, struck ones too, so that it never shifts."""

    row: str
    number: int
    point: str | None
    fields: Fields
    photos: list[str]
    authors: list[str]
    struck_by: str | None
    struck_why: str | None


class Photo(msgspec.Struct, frozen=True):
    """A live medium of the record."""

    sha256: str
    mime: str
    caption: str | None
    source: str | None
    place: str
    number: int | None
    author: str | None
    at: str | None
    here: bool


class Version(msgspec.Struct, frozen=True):
    """One head of a field that has several: what it says, who wrote it, on which phone, when."""

    value: Any
    author: str
    device: str | None
    at: str
    received_at: str | None


class Conflict(msgspec.Struct, frozen=True):
    """A field with two versions or more."""

    path: list[str]
    label: str
    point: str
    number: int | None
    versions: list[Version]


class Entry(msgspec.Struct, frozen=True):
    """One line of the history, or of a list made from it."""

    past: Past
    said: Said
    op_id: str


class Signed(msgspec.Struct, frozen=True):
    """The latest signature of one signer, and how many older ones are in the file."""

    signer: str
    role: str
    state: str
    refused: str | None
    at: str
    owner: str | None
    older: int
    changed: list[str]


class VisitPage(msgspec.Struct, frozen=True):
    """All that the page of one visit shows."""

    visit: Received
    view: dict[str, Any]
    unit: str
    tasks: list[str]
    items: list[tuple[str, str]]
    names: dict[str, str]
    sections: list[Section]
    findings: list[Finding]
    photos: list[Photo]
    conflicts: list[Conflict]
    quarantined: list[Entry]
    late: list[Entry]
    held: list[Entry]
    signatures: list[Signed]
    history: list[Entry]
    reviews: list[Review]
    unsettled: dict[str, str]
    refusals: list[str]
    set_aside: dict[str, SetAside]
    hindrances: dict[str, str | None]

    @property
    def counts(self) -> dict[str, int]:
        """How many points passed, failed, don't apply, are open, and how many there are."""
        verdicts = [point.verdict for section in self.sections for point in section.points]
        named = {"passed": "pass", "failed": "fail", "na": "na", "open": None}
        return {"all": len(verdicts), **{word: verdicts.count(verdict) for word, verdict in named.items()}}

    @property
    def fields(self) -> Fields:
        """What the record says of the visit as a whole."""
        return Fields(self.view["content"]["visit"])

    @property
    def nothing_inspected(self) -> bool:
        """Whether the record is to say that no substantive inspection took place (R27.1)."""
        return nothing_inspected(self.view["content"])

    @property
    def torn(self) -> set[str]:
        """The fields with two versions, each as its path joined by spaces."""
        return {" ".join(conflict.path) for conflict in self.conflicts}

    @property
    def numbers(self) -> dict[str, str]:
        """The number that people know a point by, for its id."""
        return {point.id: point.number for section in self.sections for point in section.points}

    @property
    def review(self) -> Review | None:
        """The word on the present round, where there is one."""
        return next((word for word in self.reviews if word.round == self.view["round"]), None)

    @property
    def photos_here(self) -> int:
        """How many of the record's media are on the server, verified."""
        return sum(photo.here for photo in self.photos)

    @property
    def records(self) -> int:
        """How many ops of phones the server holds for this visit."""
        return sum(not entry.past.rid.startswith("srv") for entry in self.history)


def assemble(
    *,
    visit: Received,
    view: dict[str, Any],
    unit: str,
    tasks: Sequence[tuple[str, str]],
    template: dict[str, Any],
    names: dict[str, str],
    pasts: Sequence[Past],
    here: Collection[str],
    reviews: list[Review],
    unsettled: dict[str, str],
    refusals: list[str],
    set_aside: dict[str, SetAside],
    hindrances: dict[str, str | None],
) -> VisitPage:
    """The page of one visit from what the record and the registries say."""
    entries = [Entry(past, said(past), f"{past.rid}:{past.seq}") for past in pasts]
    by_id = {entry.op_id: entry for entry in entries}
    numbers = _finding_numbers(entries)
    content = view["content"]
    photos = _photos(content, entries, numbers, here)
    sections = _sections(template, content, photos)
    points = {point.id: point.number for section in sections for point in section.points}
    quarantined = [by_id[one["op"]] for one in view["quarantined"] if one["op"] in by_id]
    return VisitPage(
        visit=visit,
        view=view,
        unit=unit,
        tasks=list(dict.fromkeys(task for task, _ in tasks)),
        items=[(item["id"], item["name"]) for item in template["items"]],
        names=names,
        sections=sections,
        findings=_findings(content, entries, numbers, points, photos),
        photos=photos,
        conflicts=[_conflict(one, by_id, numbers, points) for one in view["conflicts"]],
        quarantined=quarantined,
        late=[by_id[op] for op in view["late"] if op in by_id],
        held=[by_id[one["op"]] for one in view["held"] if one["op"] in by_id],
        signatures=_signatures(view, by_id),
        history=entries,
        reviews=reviews,
        unsettled=unsettled,
        refusals=refusals,
        set_aside=set_aside,
        hindrances=hindrances,
    )


def _body(entry: Entry) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(entry.past.body)
    return decoded


def _finding_numbers(entries: Sequence[Entry]) -> dict[str, int]:
    rows = [entry.op_id for entry in entries if entry.past.kind == "add" and entry.past.standing == "ok"]
    return {row: place for place, row in enumerate(rows, start=1)}


def _sections(template: dict[str, Any], content: dict[str, Any], photos: Sequence[Photo]) -> list[Section]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for item in template["items"]:
        for point in item["points"]:
            grouped.setdefault(point["section"], []).append(point)
    return [
        Section(name, [_point(f"{place}.{n:02d}", point, content, photos) for n, point in enumerate(points, start=1)])
        for place, (name, points) in enumerate(grouped.items(), start=1)
    ]


def _point(number: str, point: dict[str, Any], content: dict[str, Any], photos: Sequence[Photo]) -> Point:
    answer = content["answer"].get(point["id"], {})
    shown = [photo.sha256 for photo in photos if photo.place == f"answer:{point['id']}"]
    verdict, note = answer.get("verdict"), answer.get("note")
    return Point(point["id"], number, point["text"], point["basis"], verdict, note, shown)


def _photos(
    content: dict[str, Any], entries: Sequence[Entry], numbers: Mapping[str, int], here: Collection[str]
) -> list[Photo]:
    attached: dict[str, Entry] = {}
    for entry in entries:
        if entry.past.kind == "attach" and entry.past.standing == "ok":
            attached.setdefault(_body(entry)["path"][1], entry)
    photos = [
        _photo(sha256, fields, attached[sha256], numbers, sha256 in here) for sha256, fields in content["media"].items()
    ]
    return sorted(photos, key=lambda photo: (photo.at or "", photo.sha256))


def _photo(sha256: str, fields: dict[str, Any], entry: Entry, numbers: Mapping[str, int], here: bool) -> Photo:
    val, place = _body(entry)["val"], str(fields["for"])
    return Photo(
        sha256=sha256,
        mime=val["mime"],
        caption=fields.get("caption"),
        source=val["source"],
        place=place,
        number=numbers.get(place.removeprefix("finding:")),
        author=entry.past.author,
        at=entry.said.at,
        here=here,
    )


def _findings(
    content: dict[str, Any],
    entries: Sequence[Entry],
    numbers: Mapping[str, int],
    points: Mapping[str, str],
    photos: Sequence[Photo],
) -> list[Finding]:
    touched = _row_ops(entries)
    return [
        Finding(
            row=row,
            number=number,
            point=points.get(content["finding"].get(row, {}).get("point", "")),
            fields=Fields(content["finding"].get(row, {})),
            photos=[photo.sha256 for photo in photos if photo.place == f"finding:{row}"],
            authors=list(dict.fromkeys(author for kind, author, _ in touched[row] if kind in ("add", "set"))),
            **_struck(row in content["finding"], touched[row]),
        )
        for row, number in numbers.items()
    ]


def _row_ops(entries: Sequence[Entry]) -> dict[str, list[tuple[str, str, Any]]]:
    touched: dict[str, list[tuple[str, str, Any]]] = {}
    for entry in entries:
        if entry.past.standing != "ok" or entry.past.kind not in ("add", "set", "del", "undel"):
            continue
        op = _body(entry)
        if op["path"][0] == "finding":
            row = entry.op_id if op["kind"] == "add" else op["path"][1]
            touched.setdefault(row, []).append((op["kind"], op["author"], op["val"]))
    return touched


def _struck(alive: bool, touched: Sequence[tuple[str, str, Any]]) -> dict[str, str | None]:
    if alive:
        return {"struck_by": None, "struck_why": None}
    last = next(((author, val) for kind, author, val in reversed(touched) if kind == "del"), ("", None))
    return {"struck_by": last[0], "struck_why": (last[1] or {}).get("reason") or ""}


def _conflict(
    one: dict[str, Any], by_id: Mapping[str, Entry], numbers: Mapping[str, int], points: Mapping[str, str]
) -> Conflict:
    path = one["path"]
    versions = []
    for head in one["heads"]:
        entry = by_id.get(head["op"])
        device = entry.past.device if entry else None
        received_at = entry.past.received_at if entry else None
        versions.append(Version(head["val"], head["author"], device, head["at"], received_at))
    return Conflict(path, field_key(path), points.get(path[1], path[1]), numbers.get(path[1]), versions)


def _signatures(view: dict[str, Any], by_id: Mapping[str, Entry]) -> list[Signed]:
    ranks = ("current", "weak", "awaiting_image", "awaiting_ops", "stale", "invalid")
    found: dict[str, list[dict[str, Any]]] = {}
    for one in view["signatures"]:
        found.setdefault(one["signer"], []).append(one)
    shown = []
    for signer, all_of in found.items():
        best = min(reversed(all_of), key=lambda one: ranks.index(one["state"]))
        entry = by_id.get(best["op"])
        refused = _body(entry)["val"]["refused"] if entry else None
        at = entry.said.at if entry and entry.said.at else ""
        owner = entry.past.device_owner if entry else None
        changed = [field_key(path) for path in best.get("changed", [])]
        shown.append(Signed(signer, best["role"], best["state"], refused, at, owner, len(all_of) - 1, changed))
    return sorted(shown, key=lambda one: (one.role not in ("leader", "member"), one.role != "leader", one.at))
