"""The library of subjects as imports and exports see it: one record, and whether it is in the unit's library (R8.3)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from server.domain.codes import normal_code
from server.domain.entry import Entry as Form
from server.domain.excuse import DEAD, StatusDocument
from server.domain.faults import Fault, number_faults
from server.domain.instant import stamp
from server.domain.layout import SUBJECTS, split, word_of
from server.domain.mask import mask_phone
from server.domain.subject import Subject, check_subject, values_of
from server.office.libraries import Entry, Known, New, Place, Stroke
from server.store import excuses, subject_batches, subjects
from server.store.personnel import taken_is_a_problem
from server.store.session import Connection

_FLAG_PARTS: Final = ("kind", "document", "from", "to")


class Subjects:
    """Subjects, by credit code or registration number. An entry is the record, and the units that have it."""

    layout = SUBJECTS
    adds_unseen = True

    def __init__(self, place: Place) -> None:
        self.place = place

    def key(self, values: Mapping[str, str]) -> str:
        """The code, in its normal form."""
        return normal_code(values.get("uscc", "")) or normal_code(values.get("registration", ""))

    def key_of(self, entry: Entry) -> str:
        """The same of an entry."""
        return self.key({name: entry["subject"].get(name) or "" for name in ("uscc", "registration")})

    def known(self, conn: Connection, keys: Collection[str]) -> dict[str, Known]:
        """Who is there already, in whosoever's library."""
        found = subjects.subjects_by_codes(conn, self.place.sealer, keys)
        ids = [one.id for one in found.values()]
        units, revs = subjects.libraries_of(conn, ids), subjects.revs_of(conn, ids)
        its = excuses.status_documents(conn, {one.id: one.status for one in found.values()})
        return {
            code: Known(one.id, _entry(one, units.get(one.id, ()), its.get(one.id)), revs[one.id])
            for code, one in found.items()
        }

    def check(self, values: Mapping[str, str], known: Known | None) -> tuple[Entry | None, list[Fault]]:
        """As the form of a subject is checked; beside it the units that have it in their libraries."""
        faults: list[Fault] = []
        plain = dict(values) | {"flags": _flags(values.get("flags", ""), faults)}
        if known is not None and plain.get("phone") == mask_phone(known.entry["subject"]["phone"]):
            plain["phone"] = known.entry["subject"]["phone"]  # a masked export that came back
        subject, more = check_subject(plain)
        faults += more
        there = tuple(known.entry["units"]) if known else ()
        units = self._units(values.get("units", ""), there, faults)
        its, wrong = self._status_document(values, known)
        faults += wrong
        return (None if subject is None or wrong else _entry(subject, units, its)), faults

    def fields(self, entry: Entry) -> dict[str, str]:
        """As a row of the layout has it."""
        subject = msgspec.convert(entry["subject"], Subject)
        values = values_of(subject)
        values["flags"] = "；".join(_flag_text(flag) for flag in msgspec.to_builtins(subject.flags))
        its = entry["status"] or {}
        values |= {"status_document": its.get("document", ""), "status_on": its.get("on", "")}
        values["units"] = "、".join(self.place.unit_name(unit) for unit in entry["units"])
        return {column.field: values[column.field] for column in SUBJECTS.columns}

    def add_unseen(self, conn: Connection, rows: Sequence[New], stroke: Stroke) -> None:
        """Adds the records; who is in no library is seen by nobody."""
        made = [_subject(row) for row in rows]
        with taken_is_a_problem():
            subjects.insert_subjects(conn, self.place.sealer, made, by=stroke.by, now=stroke.now, source=stroke.source)
        _keep_documents(conn, rows, stroke)

    def revs(self, conn: Connection, ids: Collection[str]) -> dict[str, int]:
        """The revisions of those that are there."""
        return subjects.revs_of(conn, ids)

    def show(self, conn: Connection, batch_id: str, stroke: Stroke) -> None:
        """Puts the batch's new ones into the unit's library."""
        subject_batches.show(conn, self.place.unit_id, batch_id, stroke.by, stroke.now, stroke.source)

    def hide(self, conn: Connection, batch_id: str, stroke: Stroke) -> list[tuple[int, str]]:
        """Takes them out again, unless one is used or was changed since."""
        held = subject_batches.held(conn, self.place.unit_id, batch_id)
        if not held:
            subject_batches.hide(conn, self.place.unit_id, batch_id, stroke.by, stroke.now, _undo(stroke))
        return held

    def settle(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Changes those that differ, and puts them into the unit's library where they aren't in it."""
        self._update(conn, changed, stroke)
        joining = [row.id for row in changed if self._joins(row)]
        unit = self.place.unit_id
        subjects.add_to_library(conn, unit, joining, by=stroke.by, now=stroke.now, source=stroke.source)

    def withdraw(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Makes the changed ones what they were, and takes those out of the library that the batch had put there."""
        self._update(conn, changed, stroke)
        leaving = [row.id for row in changed if self._joins(New(row.id, row.before or {}, row.entry))]
        unit = self.place.unit_id
        subjects.take_from_library(conn, unit, leaving, by=stroke.by, now=stroke.now, source=_undo(stroke))

    def remove_unseen(self, conn: Connection, ids: Sequence[str]) -> None:
        """Takes the records away."""
        subjects.remove_subjects(conn, ids)

    def used(self, conn: Connection, ids: Collection[str]) -> set[str]:
        """Those that a visit, a draw or an interest speaks of, or that another unit has taken into its library."""
        units = subjects.libraries_of(conn, ids)
        shared = {id for id in ids if set(units.get(id, ())) - {self.place.unit_id}}
        return shared | set(subjects.used_subjects(conn, ids))

    def _update(self, conn: Connection, rows: Sequence[New], stroke: Stroke) -> None:
        made = [_subject(row) for row in rows if row.before is None or row.entry["subject"] != row.before["subject"]]
        if made:
            subjects.update_subjects(conn, self.place.sealer, made, by=stroke.by, now=stroke.now, source=stroke.source)
        _keep_documents(conn, rows, stroke)

    def _joins(self, row: New) -> bool:
        unit = self.place.unit_id
        return unit in row.entry["units"] and row.before is not None and unit not in row.before["units"]

    def _status_document(
        self, values: Mapping[str, str], known: Known | None
    ) -> tuple[StatusDocument | None, list[Fault]]:
        """By which document a row is suspended or cancelled: as on the form, it needs one of its own (R16.2)."""
        status = values.get("status", "")
        if status not in DEAD:
            return None, []
        was = known.entry["subject"]["status"] if known is not None else ""
        there = known.entry["status"] if known is not None else None
        said = {name: values.get(f"status_{name}", "") for name in ("document", "on")}
        is_old = there == {"status": was} | said
        if was == status and (is_old or not any(said.values())):
            return (None if there is None else msgspec.convert(there, StatusDocument)), []
        form = Form({} if is_old else values)  # the document of another status is none of this one
        document, on = form.line("status_document", most=120), form.day("status_on")
        form.faults += number_faults("status_document", document)
        if on is not None and on > self.place.today.isoformat():
            form.wrong("status_on", "day_ahead")
        if not form.is_good or on is None:
            return None, form.faults
        return StatusDocument(status, document, on), form.faults

    def _units(self, text: str, there: Sequence[str], faults: list[Fault]) -> tuple[str, ...]:
        """The units that have it: a clerk's sheet adds it to his own library, and to nobody else's."""
        own = self.place.unit_id
        named = split(text)
        unknown = [name for name in named if name not in self.place.units]
        if unknown:
            faults.append(Fault("units", "unknown_unit", {"found": unknown[0][:40]}))
            return tuple(there)
        units = {self.place.units[name] for name in named} or {*there, own}
        if own not in units and own in there:
            faults.append(Fault("units", "own_unit_left_out", {"unit": self.place.unit_name(own)}))
        foreign = (units ^ set(there)) - {own}
        if foreign:
            faults.append(Fault("units", "other_units_library", {"unit": self.place.unit_name(min(foreign))}))
        return tuple(sorted(units | {own}))


def _undo(stroke: Stroke) -> str:
    return stroke.source.replace("import:", "undo:")


def _entry(subject: Subject, units: Sequence[str] | Collection[str], its: StatusDocument | None) -> Entry:
    plain = msgspec.to_builtins(subject)
    plain["id"] = ""
    return {"subject": plain, "units": sorted(units), "status": msgspec.to_builtins(its)}


def _keep_documents(conn: Connection, rows: Sequence[New], stroke: Stroke) -> None:
    """Keeps each document of a status that the row says anew, as the form of one subject does."""
    for row in rows:
        its, before = row.entry.get("status"), (row.before or {}).get("status")
        if its is not None and its != before:
            excuses.add_status(conn, row.id, msgspec.convert(its, StatusDocument), stroke.by, stamp(stroke.now))


def _subject(row: New) -> Subject:
    return msgspec.convert(row.entry["subject"] | {"id": row.id}, Subject)


def _flags(text: str, faults: list[Fault]) -> str:
    """A cell of flags as `check_subject` takes them: `类别|文号|起|止`, several with semicolons between."""
    column = SUBJECTS.column("flags")
    codes = {name: code for word, code in (*column.words, *column.also) for name in (word, code)}
    flags: list[dict[str, Any]] = []
    for part in filter(str.strip, _cut(text, "；;\n")):
        cells = [_plain(cell).strip() for cell in _cut(part, "|｜")]
        if not 3 <= len(cells) <= 4 or cells[0] not in codes:
            faults.append(Fault("flags", "flag_form", {"found": part.strip()[:40]}))
            continue
        cells[0] = codes[cells[0]]
        flags.append(dict(zip(_FLAG_PARTS, [*cells, ""], strict=False)))
    return msgspec.json.encode(flags).decode()


def _cut(text: str, marks: str) -> list[str]:
    """The parts between marks that no backslash stands before; the backslashes stay."""
    parts, is_held = [""], False
    for character in text:
        if character in marks and not is_held:
            parts.append("")
        else:
            parts[-1] += character
        is_held = character == "\\" and not is_held
    return parts


def _plain(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell)


def _flag_text(flag: Mapping[str, Any]) -> str:
    word = word_of(SUBJECTS.column("flags"), flag["kind"])
    document = re.sub(r"([\\|｜；;])", r"\\\1", flag["document"])
    return "|".join((word, document, flag["from"], flag["to"] or ""))
