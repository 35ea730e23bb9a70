"""The libraries of officers, experts and agencies, as imports and exports see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from server.domain.agency import AgencyEntry, check_agency
from server.domain.codes import normal_code
from server.domain.faults import Fault
from server.domain.layout import AGENCIES, EXPERTS, OFFICERS, Layout
from server.domain.mask import mask_id, mask_phone
from server.domain.officer import Expert, ExpertEntry, Officer, OfficerEntry, check_expert, check_officer
from server.office.libraries import Entry, Known, New, Place, Stroke
from server.store import agencies, experts, officers, whole
from server.store.session import Connection


class _People:
    """What the three have in common: one unit keeps an entry, and a few hundred of them are added in one step."""

    adds_unseen = False
    layout: Layout

    def __init__(self, place: Place) -> None:
        self.place = place

    def key_of(self, entry: Entry) -> str:
        """The value by which a row is known."""
        return self.key(entry)

    def key(self, values: Mapping[str, str]) -> str:
        """Its normal form."""
        return normal_code(values.get(self.layout.key, ""))

    def fields(self, entry: Entry) -> dict[str, str]:
        """As a row of the layout has it; the unit by its name."""
        return {column.field: self._text(column.field, entry.get(column.field)) for column in self.layout.columns}

    def _text(self, field: str, value: Any) -> str:
        if field == "unit_id":
            return self.place.unit_name(value) if value else ""
        return ",".join(value) if isinstance(value, list | tuple) else str(value or "")

    def revs(self, conn: Connection, ids: Collection[str]) -> dict[str, int]:
        """The revisions of those that are there."""
        return whole.revs(conn, self.layout.id, ids)

    def add_unseen(self, conn: Connection, rows: Sequence[New], stroke: Stroke) -> None:
        """Nobody is added before the last step."""

    def show(self, conn: Connection, batch_id: str, stroke: Stroke) -> None:
        """Nobody is unseen."""

    def hide(self, conn: Connection, batch_id: str, stroke: Stroke) -> list[tuple[int, str]]:
        """Nobody can be made unseen."""
        return []

    def remove_unseen(self, conn: Connection, ids: Sequence[str]) -> None:
        """Nobody is left to remove."""

    def _known(self, conn: Connection, column: str, values: Collection[Any]) -> list[Known]:
        rows = (whole.whole(self.place.sealer, self.layout.id, row) for row in self._rows(conn, column, values))
        return [Known(row["id"], self.entry(row), row["rev"]) for row in rows]

    def _rows(self, conn: Connection, column: str, values: Collection[Any]) -> list[Any]:
        return whole.rows_by(conn, self.layout.id, column, values)

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """What of a stored row a sheet can say."""
        return {column.field: row[column.field] for column in self.layout.columns}

    def _values(self, values: Mapping[str, str]) -> dict[str, str]:
        unit = values.get("unit_id", "").strip()
        return dict(values) | {"unit_id": self.place.units.get(unit, unit) if unit else self.place.unit_id}

    def _own(self, values: Mapping[str, str], known: Known | None) -> list[Fault]:
        """A clerk's sheet speaks of his own unit only."""
        units = {values["unit_id"]} | ({known.entry["unit_id"] or self.place.unit_id} if known else set())
        if units == {self.place.unit_id}:
            return []
        other = next(unit for unit in units if unit != self.place.unit_id)
        return [Fault("unit_id", "other_unit_row", {"found": self.place.unit_name(other)[:40]})]

    def _units(self) -> dict[str, str]:
        return {id: name for name, id in self.place.units.items()}


class Officers(_People):
    """Officers, by the number of their certificate."""

    layout = OFFICERS

    def known(self, conn: Connection, keys: Collection[str]) -> dict[str, Known]:
        """Who is there already."""
        return {known.entry["certificate"]: known for known in self._known(conn, "certificate", keys)}

    def check(self, values: Mapping[str, str], known: Known | None) -> tuple[Entry | None, list[Fault]]:
        """As the form of an officer is checked."""
        values = self._values(values)
        kept = _masked(known, Officer)
        made, faults = check_officer(values, self._units(), self.place.today, kept)
        return _whole(made, known), faults + (self._own(values, known) if made else [])

    def settle(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Adds and changes them."""
        sealer = self.place.sealer
        officers.insert_officers(conn, sealer, _as(new, OfficerEntry), stroke.by, stroke.now)
        officers.update_officers(conn, sealer, _as(changed, OfficerEntry), stroke.by, stroke.now)

    def withdraw(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Takes them away again, and makes the others what they were."""
        officers.remove_officers(conn, [one.id for one in new], stroke.by, stroke.now)
        officers.update_officers(conn, self.place.sealer, _as(changed, OfficerEntry), stroke.by, stroke.now)

    def used(self, conn: Connection, ids: Collection[str]) -> set[str]:
        """Who has an account, a crew, an interest or leave."""
        return set(officers.used_officers(conn, ids))


class Experts(_People):
    """Experts, by their ID number."""

    layout = EXPERTS

    def known(self, conn: Connection, keys: Collection[str]) -> dict[str, Known]:
        """Who is there already."""
        blinds = whole.blinds(self.place.sealer, "experts", "id_number", keys)
        return {known.entry["id_number"]: known for known in self._known(conn, "id_number_blind", blinds)}

    def check(self, values: Mapping[str, str], known: Known | None) -> tuple[Entry | None, list[Fault]]:
        """As the form of an expert is checked."""
        values = self._values(values)
        made, faults = check_expert(values, self._units(), self.place.today, _masked(known, Expert))
        return _whole(made, known), faults + (self._own(values, known) if made else [])

    def settle(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Adds and changes them."""
        sealer = self.place.sealer
        experts.insert_experts(conn, sealer, _as(new, ExpertEntry), stroke.by, stroke.now)
        experts.update_experts(conn, sealer, _as(changed, ExpertEntry), stroke.by, stroke.now)

    def withdraw(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Takes them away again, and makes the others what they were."""
        experts.remove_experts(conn, [one.id for one in new], stroke.by, stroke.now)
        experts.update_experts(conn, self.place.sealer, _as(changed, ExpertEntry), stroke.by, stroke.now)

    def used(self, conn: Connection, ids: Collection[str]) -> set[str]:
        """Nothing points at an expert yet."""
        return set()


class Agencies(_People):
    """Commissioned agencies, by credit code and contract."""

    layout = AGENCIES

    def key(self, values: Mapping[str, str]) -> str:
        """Code and contract: one agency has a row for each of its contracts."""
        code, contract = normal_code(values.get("uscc", "")), normal_code(values.get("contract", ""))
        return f"{code} {contract}" if code and contract else ""

    def known(self, conn: Connection, keys: Collection[str]) -> dict[str, Known]:
        """What is there already."""
        found = self._known(conn, "uscc", {key.partition(" ")[0] for key in keys})
        return {self.key(known.entry): known for known in found if self.key(known.entry) in keys}

    def check(self, values: Mapping[str, str], known: Known | None) -> tuple[Entry | None, list[Fault]]:
        """As the form of an agency is checked."""
        values = self._values(values)
        made, faults = check_agency(values, self._units())
        entry = None if made is None else msgspec.to_builtins(made)
        return entry, faults + (self._own(values, known) if made else [])

    def settle(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Adds and changes them."""
        agencies.insert_agencies(conn, _as(new, AgencyEntry), stroke.by, stroke.now)
        agencies.update_agencies(conn, _as(changed, AgencyEntry), stroke.by, stroke.now)

    def withdraw(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Takes them away again, and makes the others what they were."""
        agencies.remove_agencies(conn, [one.id for one in new], stroke.by, stroke.now)
        agencies.update_agencies(conn, _as(changed, AgencyEntry), stroke.by, stroke.now)

    def used(self, conn: Connection, ids: Collection[str]) -> set[str]:
        """Nothing points at an agency yet."""
        return set()


def _as(rows: Sequence[New], kind: type[Any]) -> dict[str, Any]:
    return {row.id: msgspec.convert(row.entry, kind) for row in rows}


def _masked(known: Known | None, kind: type[Any]) -> Any:
    """What is stored, as the check compares it: with the masks that a masked export has in its cells."""
    if known is None:
        return None
    masks = {"phone": mask_phone(known.entry["phone"]), "id_number": mask_id(known.entry["id_number"])}
    return msgspec.convert(known.entry | masks | {"id": known.id}, kind)


def _whole(made: OfficerEntry | ExpertEntry | None, known: Known | None) -> Entry | None:
    """The entry with both numbers; one that came back as its mask is the stored one."""
    if made is None:
        return None
    entry: Entry = msgspec.to_builtins(made)
    for field in ("phone", "id_number"):
        if entry[field] is None and known is not None:
            entry[field] = known.entry[field]
    return entry
