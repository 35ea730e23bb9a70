"""The acts on subjects, by the clerk of the unit that has them; the phone by one who sees only a mask."""

from __future__ import annotations

import httpx

from tests.office.district import HTML, Office
from tests.office.walks import Step, Walk

ROOM = "/office/subjects"
FORM = {
    "name": "南阳走访气体有限公司",
    "uscc": "91411303MA9XYW1F4K",
    "legal_representative": "某甲",
    "address": "河南省南阳市卧龙区石桥镇走访路9号",
    "contact": "某乙",
    "phone": "14000009999",
    "kind": "company",
    "industry": "C2619",
    "region": "411303",
    "risk": "high",
    "credit": "B",
    "status": "active",
    "traits": "hazardous_chemicals",
}
"""A subject that nobody has yet."""


def post(office: Office, who: str, path: str, **form: str) -> httpx.Response:
    """A form of this room, posted."""
    return office.client(who).post(f"{ROOM}{path}", data=form, headers=HTML)


def _post(who: str, path: str, **form: str) -> Walk:
    return lambda office: Step(who, lambda: post(office, who, path, **form))


def _change(office: Office) -> Step:
    """The form of a subject as it stands, with another contact."""
    page = office.client("clerk").get(f"{ROOM}/subject-004/edit", headers=HTML).text
    form = fields_of(page) | {"contact": "某丙"}
    return Step("clerk", lambda: post(office, "clerk", "/subject-004/edit", **form))


def fields_of(page: str) -> dict[str, str]:
    """What the one form of a page would send, but for its token."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, str] = {}
            self.select = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            name = given.get("name") or ""
            if tag == "select":
                self.select = name
            elif tag == "option" and "selected" in given:
                self.found[self.select] = given.get("value") or ""
            elif tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
                self.found[name] = given.get("value") or ""

    reader = Reader()
    reader.feed(page.partition("<main")[2])
    return {name: value for name, value in reader.found.items() if name not in ("", "csrf")}


def _unflag(office: Office) -> Step:
    post(
        office, "clerk", "/subject-006/flags", kind="complaints", document="走访〔2026〕1 号", **{"from": "2026-11-01"}
    )
    form = {"flag": "0", "until": "2026-11-20", "unflag_reason": "已办结"}
    return Step("clerk", lambda: post(office, "clerk", "/subject-006/flags/end", **form))


def _join(office: Office) -> Step:
    page = office.client("clerk-ic").get(f"{ROOM}/subject-481", headers=HTML).text
    code = page.partition('<dd class="mono">')[2][:18]
    return Step("clerk", lambda: post(office, "clerk", "/join", code=code, reason="新增储存"))


def _leave(office: Office) -> Step:
    """One that another unit has in its library too."""
    form = {"leave_reason": "移交给工矿商贸监管股"}
    return Step("clerk", lambda: post(office, "clerk", "/subject-100/leave", **form))


WALKS: dict[str, Walk] = {
    "subject.enter": _post("clerk", "/new", **FORM),
    "subject.change": _change,
    "subject.status": _post(
        "clerk",
        "/subject-005/status",
        status="suspended",
        status_reason="停业整顿",
        status_document="停业告知〔2026〕3 号",
        status_on="2026-11-20",
    ),
    "subject.flag": _post(
        "clerk", "/subject-005/flags", kind="discredit", document="失信告知〔2026〕8 号", **{"from": "2026-11-01"}
    ),
    "subject.unflag": _unflag,
    "subject.join": _join,
    "subject.leave": _leave,
    "subject.reveal": _post("steering", "/subject-007/reveal", reason="核实举报"),
}
