"""What the letters to who objected say: acceptance, refusal and outcome, each as the sheet that is printed (R26.5).

They name the subject and never the person who wrote, so that no letter holds what is sealed. They are Chinese whichever
language their maker reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from server.domain.calendar import Due
from server.domain.document_case import Seal, day_said
from server.domain.document_sheet import Sheet, Table, Words
from server.domain.document_text import NOTHING, RESULTS
from server.domain.publication import ItemResult

TITLES: Final[Mapping[str, str]] = {
    "objection_acceptance": "异议受理通知书",
    "objection_refusal": "异议不予受理通知书",
    "objection_outcome": "异议复核结果通知书",
}
REFUSED: Final[Mapping[str, str]] = {
    "no_identity": "没有提交身份证明材料，无法核实提出人是被检查单位或者受其委托。",
    "not_entitled": "提交的材料不能证明提出人是被检查单位的代表，或者受其委托。",
    "not_about_result": "所提事项不是对这次检查结果的异议。",
    "no_grounds": "没有写明异议的具体事实和理由。",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "upheld": "异议成立，原检查结果确有错误，依法更正。",
    "partly": "异议部分成立，原检查结果中确有错误的部分依法更正。",
    "not_upheld": "异议不成立，维持原检查结果。",
}
METHODS: Final[Mapping[str, str]] = {"document_review": "书面复核", "site": "现场复核"}
BASIS: Final = "《“双随机一公开”抽查工作细则》第二十六条"
CODE_SAYS: Final = "扫码可查验编号，以及制作时公开日志的状态。"


class Letter(msgspec.Struct, frozen=True):
    """What a letter is made from. `due` is of the recheck or of the feedback; `said` is what the office adds."""

    kind: str
    no: str
    org: str
    today: str
    objection_no: str
    result_no: str
    subject: str
    items: Sequence[ItemResult]
    main: str
    published_on: str
    received_on: str
    recheck_days: int
    feedback_days: int
    due: Due | None = None
    reason: str = ""
    said: str = ""
    outcome: str = ""
    method: str = ""
    officers: Sequence[str] = ()
    found_on: str = ""
    corrected_to: str = ""
    seal: Seal | None = None


Blocks = list[Words | Table]


def letter_of(it: Letter) -> Sheet:
    """The sheet of a letter."""
    blocks = {
        "objection_acceptance": _acceptance,
        "objection_refusal": _refusal,
        "objection_outcome": _outcome,
    }[it.kind](it)
    seal = f" log={it.seal.size}:{it.seal.root}" if it.seal else ""
    return Sheet(
        kind=it.kind,
        org=it.org,
        title=TITLES[it.kind],
        no=it.no,
        facts=_facts(it),
        blocks=blocks,
        signers=[],
        dated=f"{it.org}　{day_said(it.today)}",
        short="",
        says=CODE_SAYS,
        qr=f"suijian/1 no={it.no} record=-{seal}",
    )


def _facts(it: Letter) -> list[list[tuple[str, str]]]:
    found = [
        [("异议编号", it.objection_no), ("收到日期", day_said(it.received_on))],
        [("公示编号", it.result_no), ("公示日期", day_said(it.published_on))],
        [("被检查单位", it.subject)],
        [("检查事项", "；".join(item.name for item in it.items) or NOTHING)],
        [("公示的结果", RESULTS.get(it.main, it.main))],
    ]
    if it.kind == "objection_outcome":
        found.append([("复核方式", METHODS.get(it.method, NOTHING))])
        found.append([("复核人员", "、".join(it.officers) or NOTHING)])
    return found


def _acceptance(it: Letter) -> Blocks:
    opens = (
        f"我局于{day_said(it.received_on)}收到你单位对上列检查结果提出异议的申请材料。经核对，身份材料齐全，现予受理。"
    )
    goes = (
        f"依照{BASIS}，我局自收到申请材料之日起 {it.recheck_days} 个工作日内，由没有参加原检查的人员进行复核；"
        f"自作出复核结果之日起 {it.feedback_days} 个工作日内反馈你单位。经复核确有错误的，予以更正。"
    )
    closes = "复核期间，公示的结果仍可查阅。你单位可凭受理回执上的查询码在公示网站查看进展。"
    return [Words(f"{it.subject}："), Words(opens), Words(goes), Words(_due_said(it.due), "复核期限："), Words(closes)]


def _due_said(due: Due | None) -> str:
    if due is None or due.on is None:
        known, year = (0, "") if due is None else (due.known, due.missing_year)
        return f"已知 {known} 个工作日，{year} 年的工作日安排公布后确定，届时可凭查询码查看。"
    return f"{day_said(due.on.isoformat())}。"


def _refusal(it: Letter) -> Blocks:
    opens = f"我局于{day_said(it.received_on)}收到你对上列检查结果提出的异议。经审查，不予受理，理由如下："
    closes = "补齐材料、写明理由后，可以重新提出。"
    said = [Words(it.said, "说明：")] if it.said else []
    return [Words("异议提出人："), Words(opens), Words(REFUSED[it.reason], "理由："), *said, Words(closes)]


def _outcome(it: Letter) -> Blocks:
    opens = (
        f"你单位对上列检查结果提出异议，我局于{day_said(it.received_on)}收到申请材料。依照{BASIS}，"
        f"我局进行了复核，并于{day_said(it.found_on)}作出复核结果，现反馈如下："
    )
    found: Blocks = [
        Words(f"{it.subject}："),
        Words(opens),
        Words(OUTCOMES[it.outcome], "复核结论："),
        Words(it.said, "理由："),
    ]
    if it.corrected_to:
        found.append(Words(it.corrected_to, "更正："))
    return [*found, Words("复核结论在公示网站上与原结果一并公开，不公开提出人的信息。")]


def correction_said(state: str, main: str, on: str) -> str:
    """What the letter says of a correction: `signed`, or still `asked`; nothing of one that was refused."""
    to = RESULTS.get(main, main)
    if state == "signed":
        return f"公示的检查结果已于{day_said(on)}更正为“{to}”。"
    return f"公示的检查结果将更正为“{to}”，已报单位主要负责人签字。" if state == "asked" else ""
