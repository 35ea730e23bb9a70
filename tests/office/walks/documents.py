"""The acts of documents: each on a visit of the demo, by the clerk of its unit, the numbers' beginning by the admin."""

from __future__ import annotations

from itertools import count

from tests.office.district import HTML, IDS, Office
from tests.office.documenting import INTERVIEW, fresh_order, posted, send_recheck
from tests.office.walks import Step

PREFIXES = count(1)


def make(office: Office) -> Step:
    """An interview: a visit may have several."""
    address = f"/office/documents/visits/{IDS['ordered']}"
    office.client("clerk").get(address, headers=HTML).raise_for_status()  # the record is folded before
    return Step("clerk", lambda: posted(office, "clerk", IDS["ordered"], "interview_record", **INTERVIEW))


def prefix(office: Office) -> Step:
    """Another beginning for the numbers of a unit."""
    form = {"prefix": f"卧应急{next(PREFIXES)}"}
    address = "/office/documents/numbers/brigade"
    return Step("admin", lambda: office.client("admin").post(address, data=form, headers=HTML))


def recheck(office: Office) -> Step:
    """Two officers are sent to look after an order."""
    order_id = fresh_order(office, "clerk", "ordered")
    return Step("clerk", lambda: send_recheck(office, "clerk", order_id, "li", "zhang"))


WALKS = {"document.make": make, "document.prefix": prefix, "recheck.open": recheck}
