"""The acts of import, export and the province's platform, each on a batch or row of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from random import Random

from tests.imports.bringing import applied, bring, brought, csv_of
from tests.imports.planted import good_row
from tests.office.district import HTML, Office
from tests.office.walks import Step

_numbers = count(1)
PROOF = {"proof": "suijian-demo"}


def _sheet() -> bytes:
    number = 900_000 + next(_numbers)
    return csv_of([good_row(Random(number), number, set())])


def _post(path: str, **form: str) -> Callable[[Office], Step]:
    return lambda office: Step("clerk", lambda: office.client("clerk").post(path, data=form))


def _bring(office: Office) -> Step:
    sheet = _sheet()
    return Step("clerk", lambda: bring(office.client("clerk"), sheet))


def _on_batch(act: str, *, after: str = "") -> Callable[[Office], Step]:
    def walk(office: Office) -> Step:
        clerk = office.client("clerk")
        page = brought(clerk, _sheet())
        if after == "apply":
            applied(clerk, page)
        return Step("clerk", lambda: clerk.post(f"{page}/{act}"))

    return walk


def _confirm(office: Office) -> Step:
    clerk = office.client("clerk")
    clerk.post("/office/province/kinds/item/export", data={"format": "csv", "which": "all"} | PROOF).raise_for_status()
    form = {"object": "hazchem-storage", "number": f"HN-{next(_numbers)}"}
    return Step("clerk", lambda: clerk.post("/office/province/kinds/item/confirm", data=form))


def _receive(office: Office) -> Step:
    clerk = office.client("clerk")
    clerk.post("/office/province/kinds/item/export", data={"format": "csv", "which": "all"} | PROOF).raise_for_status()
    sheet = csv_of([["confined-space", f"HN-{next(_numbers)}"]], ["事项编号", "省平台编号"])
    files = {"file": ("receipts.csv", sheet)}
    return Step("clerk", lambda: clerk.post("/office/province/kinds/item/receipts", files=files))


def _map(office: Office) -> Step:
    from server.domain.province import FIRST, values_of

    return Step("clerk", lambda: office.client("clerk").post("/office/province/mapping", data=values_of(FIRST)))


def _resume(office: Office) -> Step:
    """A batch that a stopped server left in the middle: it stands there until somebody lets it go on."""
    import sqlalchemy as sa

    from server.store.tables import import_batch

    page = brought(office.client("clerk"), _sheet())
    with office.db.write() as conn:
        held = {"state": "reading", "held": [{"row": 0, "why": "failed"}]}
        conn.execute(sa.update(import_batch).where(import_batch.c.id == page.rpartition("/")[2]).values(held))
    return Step("clerk", lambda: office.client("clerk").post(f"{page}/resume", headers=HTML))


WALKS = {
    "import.bring": _bring,
    "import.apply": _on_batch("apply"),
    "import.undo": _on_batch("undo", after="apply"),
    "import.abandon": _on_batch("abandon"),
    "import.resume": _resume,
    "export.make": _post("/office/imports/exports", layout="subjects", format="csv", **PROOF),
    "province.map": _map,
    "province.export": _post("/office/province/kinds/plan/export", format="csv", which="all", **PROOF),
    "province.confirm": _confirm,
    "province.receive": _receive,
}
