"""The act that enters a set of result codes, or its next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain.faults import Invalid
from server.domain.result_codes import ARTICLE, CodeSet, check_set
from server.office.act import act, digest_of
from server.store import code_sets, trail
from server.store.people import Person
from server.store.session import Connection


@act("codes.add", "codes.change")
def add(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> CodeSet:
    """Writes a version of a set; the ones before stay, and hold until its day."""
    version = code_sets.next_version(conn, values.get("id", "").strip().lower())
    made, faults = check_set(values, version)
    if made is None:
        raise Invalid(faults, ARTICLE)
    code_sets.add(conn, made, person.id, now)
    detail = {"version": version, "name": made.name, "source": made.source, "in_force_from": made.in_force_from}
    trail.append(conn, [trail.Act("codes.add", person.id, f"codes:{made.id}", None, digest_of(made), detail)], now)
    return made
