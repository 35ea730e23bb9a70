"""Rows for the province's platform: mapped, exported, confirmed by its number; each row keeps its state (R7.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day
from server.domain.item import Item
from server.domain.layout import LAYOUTS, Column
from server.domain.province import KINDS, ProvinceMapping, check_mapping
from server.domain.publication import PublicResult
from server.domain.result_codes import ARTICLE_24, CodeSet
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.office.exports import AT_ONCE, plain
from server.office.keepers import library_of
from server.office.libraries import Place
from server.office.publishing import settle
from server.store import items, plans, province, publications, search, subjects, trail, whole
from server.store.people import Person
from server.store.session import Connection

NUMBER_MOST: Final = 64
LIBRARIES: Final = {"subject": "subjects", "officer": "officers", "expert": "experts"}


class Sent(msgspec.Struct, frozen=True):
    """One of our rows: its id, the key and name that people know it by, and its values by field."""

    object: str
    key: str
    name: str
    values: Mapping[str, str]

    @property
    def digest(self) -> str:
        """What a state stands on: a row that changed since must be sent again."""
        return digest_of(dict(self.values))


# --- what there is to send --------------------------------------------------------------------------------------------


def rows_of(conn: Connection, place: Place, kind: str) -> Iterator[Sent]:
    """The rows of a kind: of the released list and plan, or of the unit's library."""
    return _SOURCES[kind](conn, place)


def _items(conn: Connection, place: Place) -> Iterator[Sent]:
    n = items.current_version(conn, place.today.isoformat())
    for item in items.items_of(conn, n) if n else ():
        yield Sent(item.id, item.id, item.name, _item_values(item))


def _item_values(item: Item) -> dict[str, str]:
    basis = "；".join("".join(filter(None, (one.document, one.article))) for one in item.basis)
    known = {field: getattr(item, field, "") for field, _ in KINDS["item"]}
    return {field: str(value) for field, value in (known | {"basis": basis}).items()}


def _plan(conn: Connection, place: Place) -> Iterator[Sent]:
    names = {id: name for name, id in place.units.items()}
    for plan in plans.public_plans(conn):
        for line in plan.lines:
            values = {field: str(getattr(line, field)) for field, _ in KINDS["plan"]}
            values["unit"] = names.get(values["unit"], values["unit"])
            yield Sent(line.id, line.id, f"{plan.year} {line.item}", values)


def _subjects(conn: Connection, place: Place) -> Iterator[Sent]:
    library, query = library_of("subjects", place), search.Query(unit_id=place.unit_id)
    while True:
        found = search.find_subjects(conn, query, AT_ONCE)
        known = library.known(conn, [str(row.uscc or row.registration) for row in found.rows])
        for row in found.rows:
            code = str(row.uscc or row.registration)
            yield Sent(row.id, code, row.name, _values("subject", library.fields(known[code].entry)))
        if found.more is None:
            return
        query = msgspec.structs.replace(query, after=found.more)


def _people(kind: str) -> Callable[[Connection, Place], Iterator[Sent]]:
    def rows(conn: Connection, place: Place) -> Iterator[Sent]:
        layout = LIBRARIES[kind]
        library = library_of(layout, place)
        for row in whole.everybody(conn, layout, place.unit_id):
            fields = library.fields(whole.whole(place.sealer, layout, row))
            yield Sent(row["id"], str(row.get("certificate") or row["id"]), row["name"], _values(kind, fields))

    return rows


def _results(conn: Connection, place: Place) -> Iterator[Sent]:
    codes = province.mapping_of(conn)[1].results
    for head, result in publications.published_by_unit(conn, place.unit_id):
        values = {field: str(getattr(result, field, "")) for field, _ in KINDS["result"]}
        label = ARTICLE_24.codes[result.main].label
        values |= {"type": result.main, "main": label, "code": codes[result.main], "items": _items_said(result)}
        values["corrected_on"] = result.corrected.on if result.corrected else ""
        yield Sent(head.id, head.no, f"{head.subject_name} {label}", values)


def _items_said(result: PublicResult) -> str:
    labels = {type_: code.label for type_, code in ARTICLE_24.codes.items()}
    return "；".join(f"{item.name}：{'、'.join(labels[type_] for type_ in item.types)}" for item in result.items)


_SOURCES: Final[dict[str, Callable[[Connection, Place], Iterator[Sent]]]] = {
    "item": _items,
    "subject": _subjects,
    "officer": _people("officer"),
    "expert": _people("expert"),
    "plan": _plan,
    "result": _results,
}


def _values(kind: str, fields: Mapping[str, str]) -> dict[str, str]:
    columns: dict[str, Column] = {column.field: column for column in LAYOUTS[LIBRARIES[kind]].columns}
    return {field: plain(columns[field], fields[field]) for field, _ in KINDS[kind]}


def sheet_of(
    mapping: ProvinceMapping, kind: str, rows: Sequence[Sent], codes: CodeSet | None = None
) -> Iterator[list[str]]:
    """The rows in the province's layout; results by another set of codes where one is given."""
    columns = mapping.columns_of(kind)
    yield [column.header for column in columns]
    for row in rows:
        values = row.values if codes is None else {**row.values, **_called(codes, row.values["type"])}
        yield [values.get(column.field, "") for column in columns]


def _called(codes: CodeSet, type_: str) -> dict[str, str]:
    return {"code": codes.codes[type_].code, "main": codes.codes[type_].label}


class Line(msgspec.Struct, frozen=True):
    """One row of the page: what it is, and its place in the order."""

    object: str
    key: str
    name: str
    place: int


def page_of(conn: Connection, place: Place, kind: str, state: str, after: int, limit: int) -> tuple[list[Line], bool]:
    """The next rows in one state, or in any; whether there are more."""
    if kind in province.LISTED:
        found = [Line(*row) for row in province.listed(conn, kind, place.unit_id, state, after, limit + 1)]
    else:
        states = province.states_of(conn, kind)
        lines = [Line(row.object, row.key, row.name, n) for n, row in enumerate(rows_of(conn, place, kind), 1)]
        found = [line for line in lines if line.place > after and state in ("", _stands(states, line))][: limit + 1]
    return found[:limit], len(found) > limit


def counts_of(conn: Connection, place: Place, kind: str) -> dict[str, int]:
    """How many rows are not sent, exported, confirmed."""
    if kind in province.LISTED:
        return province.counted(conn, kind, place.unit_id)
    states = province.states_of(conn, kind)
    return dict(Counter(_stands(states, row) for row in rows_of(conn, place, kind)))


def _stands(states: Mapping[str, province.State], row: Line | Sent) -> str:
    return states[row.object].state if row.object in states else "not_sent"


def objects_of(conn: Connection, place: Place, kind: str, keys: Collection[str]) -> dict[str, str]:
    """Key -> object, of those that belong to the unit, or to the bureau as a whole."""
    if kind == "result":
        return publications.ids_by_no(conn, place.unit_id, keys)
    if kind != "subject":
        return {row.key: row.object for row in rows_of(conn, place, kind) if row.key in keys}
    found = subjects.subjects_by_codes(conn, place.sealer, keys)
    units = subjects.libraries_of(conn, [one.id for one in found.values()])
    return {code: one.id for code, one in found.items() if place.unit_id in units.get(one.id, ())}


def belongs(conn: Connection, place: Place, kind: str, object: str) -> bool:
    """Whether an object is among the unit's rows."""
    if kind == "subject":
        return place.unit_id in subjects.libraries_of(conn, [object]).get(object, ())
    if kind == "result":
        head = publications.published_by_id(conn, object)
        return head is not None and head.unit_id == place.unit_id
    return any(row.object == object for row in rows_of(conn, place, kind))


# --- acts -------------------------------------------------------------------------------------------------------------


@act("province.map", "province.change")
def change_mapping(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> int:
    """Writes the next version of the mapping; its number."""
    permit(person, "province.change", person.unit_id)
    made, faults = check_mapping(values)
    if made is None:
        raise Invalid(faults, article="7")
    n, before = province.mapping_of(conn)
    province.add_mapping(conn, n + 1, made, person.id, now)
    _trace(conn, person, now, "province.map", f"province:mapping:{n + 1}", {"n": n + 1}, (before, made))
    return n + 1


@act("province.export", "province.change")
def note_export(conn: Connection, person: Person, now: datetime, kind: str, rows: Sequence[Sent], sha256: str) -> None:
    """Marks every row of a file as exported, in the transaction that notes the file (R7.3)."""
    permit(person, "province.change", person.unit_id)
    province.mark_exported(conn, kind, {row.object: row.digest for row in rows}, person.id, now)
    detail = {"count": len(rows), "sha256": sha256}
    _trace(conn, person, now, "province.export", f"province:{kind}", detail, (None, detail))


@act("province.confirm", "province.change")
def confirm(conn: Connection, person: Person, now: datetime, kind: str, place: Place, object: str, number: str) -> None:
    """Notes the platform's number of one row of the person's unit or of the bureau."""
    permit(person, "province.change", person.unit_id)
    if not belongs(conn, place, kind, object):
        raise Problem("not_found")
    _confirm(conn, person, now, kind, object, number)
    detail = {"number": number}
    _trace(conn, person, now, "province.confirm", f"province:{kind}:{object}", detail, (None, detail))


@act("province.receive", "province.change")
def receive(
    conn: Connection, person: Person, now: datetime, kind: str, keys: Mapping[str, str], numbers: Mapping[str, str]
) -> int:
    """Notes the numbers of a receipt file, all or none: key -> number; `keys` is key -> object. How many."""
    permit(person, "province.change", person.unit_id)
    unknown = [key for key in numbers if key not in keys]
    if unknown:
        raise Invalid([Fault("file", "receipt_unknown", {"found": unknown[0][:40], "n": len(unknown)})], article="7")
    for key, number in numbers.items():
        _confirm(conn, person, now, kind, keys[key], number)
    _trace(conn, person, now, "province.receive", f"province:{kind}", {"count": len(numbers)}, (None, dict(numbers)))
    return len(numbers)


def _confirm(conn: Connection, person: Person, now: datetime, kind: str, object: str, number: str) -> None:
    if not number or len(number) > NUMBER_MOST:
        raise Problem("province_number")
    if not province.confirm(conn, kind, object, number, person.id, now):
        raise Problem("province_not_exported")
    head = publications.published_by_id(conn, object) if kind == "result" else None
    if head is not None:
        settle(conn, head.visit_id, beijing_day(now))


def _trace(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    about: str,
    detail: dict[str, Any],
    things: tuple[object, object],
) -> None:
    before, after = (None if thing is None else digest_of(thing) for thing in things)
    trail.append(conn, [trail.Act(name, person.id, about, before, after, detail)], now)
