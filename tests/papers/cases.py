"""Cases for documents: as short as one can be, as long as one gets (60 findings), with rare characters and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from server.domain.document import KINDS
from server.domain.document_case import Case, Mark, Seal, Who
from server.domain.document_entry import Typed
from server.domain.document_order import Problem, problems_of
from server.domain.document_sheet import Sheet
from server.domain.document_sheets import Made, sheet_of

DIGEST: Final = "c04e7b19" + "5a" * 28
RARE: Final = "𠮷野䶮"
ENGLISH: Final = 'Wolong & Sons (Nanyang) Fine Chemicals Co., Ltd. #2 \\ "North" <Works>'
LONG: Final = "乙类库内氧化剂与还原剂同区存放，间距约 0.6 米，共 3 桶，未设隔断；" * 6


def view(findings: Mapping[str, Any], fields: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """A record's view with this content, final."""
    media = {f"{n:064x}": {"for": f"finding:{row}"} for n, row in enumerate(findings)}
    content = {"answer": dict(answers), "finding": dict(findings), "media": media, "visit": dict(fields)}
    return {"phase": "final", "round": 1, "digest": DIGEST, "short": "C04E-7B19", "content": content, "leader": "a"}


def finding(n: int, text: str, **more: object) -> dict[str, object]:
    """A finding that is to be corrected by a day."""
    fields = {"text": text, "point": "p1", "severity": "major", "measure": "deadline", "due": "2026-12-08",
              "basis": "《安全生产法》第三十六条", "place": f"{n}号库"}  # fmt: skip
    return fields | more


def case(findings: Mapping[str, Any], fields: Mapping[str, Any], name: str, crew: int, marks: tuple[Mark, ...]) -> Case:
    """A case with so many officers."""
    answers = {f"p{n}": {"verdict": "pass"} for n in range(2, 5)} | {"p1": {"verdict": "fail", "note": "见问题"}}
    return Case(
        org="卧龙区应急管理局",
        unit="危险化学品监管股",
        visit_id="0198f000-0000-7000-8000-000000000001",
        subject=name,
        code="91411303MA46PLC83E",
        address="卧龙区工业园纬三路 18 号",
        at=(330000000, 1125000000),
        tasks=["2026 年第四季度危险化学品储存抽查"],
        items=[("hc", "危险化学品储存安全检查")],
        points={f"p{n}": f"1.{n:02d}" for n in range(1, 5)},
        crew=[Who(chr(97 + n), f"王{'甲乙丙丁戊己庚辛'[n]}", f"豫 R1300000{n}") for n in range(crew)],
        marks=marks,
        rows=list(findings),
        view=view(findings, fields, answers if fields else {}),
        ended_on="2026-11-24",
        today="2026-11-25",
        seal=Seal(4711, "be" * 32),
    )


def shortest() -> Case:
    """Nothing but what a final record has in any case, and one finding."""
    return case({"r:1": finding(1, "无")}, {}, "甲厂", 2, (Mark("subject", "subject", "", None, "不签", ""),))


def longest() -> Case:
    """Sixty findings of the length that people write when they write much, a crew of eight, every field filled."""
    fields = {
        "arrived": {"at": "2026-11-24T14:03:00+08:00", "geo": {"lat_e7": 330005200, "lon_e7": 1124993900}},
        "left": {"at": "2026-11-24T16:12:00+08:00"},
        "attendee": f"何{RARE}",
        "attendee_post": "厂长兼安全总监",
        "certificates_shown": True,
        "notice_read": True,
        "methods": ["site", "document_review", "inquiry", "testing", "other"],
        "form": "comprehensive",
        "attempts": [{"at": "2026-11-20T10:00:00+08:00", "way": "phone", "result": "无人接听", "by": "a"}],
        "noncooperation": {"circumstances": ["entry_refused", "material_refused"], "text": LONG},
        "followup": {"owner": "a", "due": "2026-12-20", "text": "另行立案"},
        "result": "ordered_to_correct",
        "result:hc": ["ordered_to_correct", "pending_followup"],
        "basis:hc": "GB 15603-2022",
        "result_note": "说明" * 40,
        "summary": LONG,
    }
    findings = {f"r:{n}": finding(n, f"第{n}处，{LONG}{RARE}") for n in range(1, 61)}
    marks = (
        *(Mark(chr(97 + n), "member", "", None, None, "2026-11-24T16:00:00+08:00") for n in range(8)),
        Mark("subject", "subject", f"何{RARE}", None, "对超量认定有意见" * 10, "2026-11-24T16:10:00+08:00"),
        Mark("witness", "witness", "", None, None, "2026-11-24T16:11:00+08:00"),
    )
    return case(findings, fields, f"南阳{RARE}精细化工有限公司", 8, marks)


def in_english() -> Case:
    """A subject with an English name, findings in English."""
    findings = {"r:1": finding(1, "Drums of oxidiser stored beside reducers, 0.6 m apart; no partition. " * 4)}
    fields = {"result": "ordered_to_correct", "attendee": "John O'Neill", "attendee_post": "Plant manager"}
    return case(findings, fields, ENGLISH, 3, ())


CASES: Final = {"shortest": shortest, "longest": longest, "english": in_english}


def typed(text: str = "现场已拍照") -> Typed:
    """What is typed for a document, the same text in every field."""
    return Typed(
        text=text, basis=text, lines=(text, text), person=text, post=text, place=text, since="2026-11-24T14:30",
        until="2026-11-24T15:10", recorder=text, talk=(("问", text), ("答", text)), reason=text,
    )  # fmt: skip


def sheet(kind: str, of: Case, said: Typed | None = None) -> Sheet:
    """The sheet of a document of a case."""
    ordered: list[Problem] = problems_of(of.findings)
    no, order = f"卧应急检记〔2026〕{KINDS.index(kind) + 1}号", "卧应急责改〔2026〕7号"
    return sheet_of(of, Made(kind, no, said or typed(), order, ordered, "卧应急检记〔2026〕0号"))
