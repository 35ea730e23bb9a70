"""What each document holds, from the case: one function a kind, which gives the sheet that is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from server.domain import document_text as say
from server.domain.document_case import (
    Case,
    Mark,
    day_said,
    distance,
    list_of,
    listed,
    methods_said,
    moment_said,
    part_of,
    text_of,
)
from server.domain.document_entry import Typed
from server.domain.document_order import Problem, point_of, problems_of
from server.domain.document_sheet import Sheet, Signer, Table, Words

Facts = list[list[tuple[str, str]]]
Blocks = list[Words | Table]


class Made(msgspec.Struct, frozen=True):
    """What a document is made with besides the case: its number, what was typed, the order that a recheck is of."""

    kind: str
    no: str
    typed: Typed = Typed()
    order_no: str = ""
    ordered: Sequence[Problem] = ()
    replaces: str = ""


def sheet_of(case: Case, made: Made) -> Sheet:
    """The sheet of one document."""
    facts, blocks, signers = _MAKERS[made.kind](case, made)
    if made.replaces:
        blocks = [*blocks, Words(say.REPLACES.format(no=made.replaces, reason=made.typed.reason))]
    digest, short = case.view["digest"], case.view["short"]
    signed = made.kind in ("inspection_record", "refusal_record")
    says = (say.CODE_SAYS if signed else say.CODE_PLAIN) if digest else say.NO_CODE
    return Sheet(
        kind=made.kind,
        org=case.org,
        title=say.TITLES[made.kind],
        no=made.no,
        facts=[[(label, value or say.NOTHING) for label, value in row] for row in facts],
        blocks=blocks,
        signers=signers,
        dated=f"{case.org}　{day_said(case.today)}",
        short=short or "",
        says=says,
        qr=_code(case, made.no),
    )


def _code(case: Case, no: str) -> str:
    """What the code at the foot says to a machine: number, record, and the checkpoint of the log that was newest."""
    seal = f" log={case.seal.size}:{case.seal.root}" if case.seal else ""
    return f"suijian/1 no={no} record={case.view['digest'] or '-'}{seal}"


# --- parts that several documents have --------------------------------------------------------------------------------


def _subject(case: Case, *, with_place: bool = False) -> Facts:
    fields = case.fields
    there, post = text_of(fields.get("attendee")), text_of(fields.get("attendee_post"))
    person = f"{there}（{post}）" if there and post else there or post
    metres = distance(case.at, part_of(fields.get("arrived"), "geo")) if with_place else None
    away = "" if metres is None else f"（到场定位距此 {metres} 米）"
    return [
        [("被检查单位", case.subject)],
        [("信用代码", case.code), ("现场负责人", person)],
        [("地址", f"{case.address}{away}")],
    ]


def _time(case: Case) -> str:
    """From arriving to leaving, as the phones wrote it down."""
    came, left = (moment_said(part_of(case.fields.get(name), "at")) for name in ("arrived", "left"))
    if came and left:
        return f"{came}至{left}"
    return came or left or day_said(case.ended_on)


def _crew(case: Case, *, with_certificates: bool = True) -> str:
    leader = case.view["leader"]
    return "、".join(
        one.name
        + (f"（组长，执法证 {one.certificate}）" if one.id == leader and with_certificates else "")
        + (f"（执法证 {one.certificate}）" if one.id != leader and with_certificates else "")
        for one in case.crew
    )


def _signatures(case: Case) -> list[Signer]:
    """The crew, the representative or his refusal, and the witness, each with the picture that counts."""
    found = [_signer("检查组长" if one.id == case.view["leader"] else "检查人员", one.name, _of(case, one.id))
             for one in case.crew]  # fmt: skip
    found += [_signer("专家", one.name, one) for one in case.marks if one.role == "expert"]
    subject = case.mark_of("subject")
    if subject is not None:
        found.append(_signer("现场负责人", subject.name, subject))
    witness = case.mark_of("witness")
    return found if witness is None else [*found, _signer("见证人", witness.name, witness)]


def _of(case: Case, officer: str) -> Mark | None:
    return next((one for one in case.marks if one.signer == officer), None)


def _signer(label: str, name: str, mark: Mark | None) -> Signer:
    if mark is not None and mark.refused is not None:
        return Signer(label, name, None, f"拒绝签字：{mark.refused}", wide=True)
    return Signer(label, name, None if mark is None else mark.image)


def _to_write_on(*labels: str) -> list[Signer]:
    return [Signer(label) for label in labels]


def _evidence(case: Case) -> Words:
    kept = case.view["content"]["media"].values()
    return Words(f"照片、录音录像等共 {len(kept)} 件，随案卷保存。", "证据：")


# --- the kinds --------------------------------------------------------------------------------------------------------

Parts = tuple[Facts, Blocks, list[Signer]]


def _inspection_record(case: Case, _made: Made) -> Parts:
    fields = case.fields
    shown = [word for name, word in (("certificates_shown", "已出示执法证"), ("notice_read", "已告知权利义务"))
             if fields.get(name) is True]  # fmt: skip
    how = "；".join(filter(None, (methods_said(fields.get("methods")), say.FORMS.get(text_of(fields.get("form")), ""))))
    facts = [
        *_subject(case, with_place=True),
        [("检查时间", _time(case))],
        [("检查人员", "，".join((_crew(case), *shown)))],
        [("检查事项", "；".join(name for _, name in case.items))],
        [("检查任务", "；".join(case.tasks))],
        [("检查方式", how)],
    ]
    blocks: Blocks = [*_answers(case), *_findings(case), *_course(case), *_results(case)]
    if text_of(fields.get("summary")):
        blocks.append(Words(text_of(fields.get("summary")), "检查情况："))
    return facts, [*blocks, _evidence(case), Words(say.RECORD_READ)], _signatures(case)


def _answers(case: Case) -> Blocks:
    count = case.verdicts
    total = len(case.points)
    if not any(count.values()):
        return [Words(say.NOTHING_INSPECTED)]
    found = "发现问题如下：" if case.findings else "未记录问题。"
    text = f"检查要点 {total} 项：符合 {count['pass']} 项，不符合 {count['fail']} 项，不适用 {count['na']} 项。{found}"
    return [Words(text)]


def _findings(case: Case) -> Blocks:
    if not case.findings:
        return []
    rows = [
        [str(n), _found(one), case.points.get(text_of(one.get("point")), ""),
         say.SEVERITIES.get(text_of(one.get("severity")), ""), _handling(one)]
        for n, (_, one) in enumerate(case.findings, start=1)
    ]  # fmt: skip
    return [Table(["序", "发现的问题", "要点", "程度", "处理"], [10, 0, 16, 14, 28], rows, [2])]


def _found(one: Mapping[str, Any]) -> str:
    place = text_of(one.get("place"))
    return text_of(one.get("text")) + (f"（{place}）" if place else "")


def _handling(one: Mapping[str, Any]) -> str:
    measure = one.get("measure")
    if measure == "deadline":
        return f"{day_said(one.get('due'))}前改正"
    return "当场改正" if measure == "on_spot" else "另行处理" if measure == "none" else ""


def _course(case: Case) -> Blocks:
    """What happened where the inspection couldn't be held as usual: attempts to reach somebody, refusals, follow-up."""
    fields, found = case.fields, Blocks()
    attempts = [one for one in list_of(fields.get("attempts")) if isinstance(one, Mapping)]
    if attempts:
        rows = [[moment_said(one.get("at")), say.WAYS.get(text_of(one.get("way")), ""), text_of(one.get("result"))]
                for one in attempts]  # fmt: skip
        found.append(Table(["时间", "方式", "结果"], [52, 28, 0], rows))
    refusal = fields.get("noncooperation")
    if part_of(refusal, "circumstances"):
        named = listed(part_of(refusal, "circumstances"), say.CIRCUMSTANCES)
        found.append(Words("：".join(filter(None, (named, text_of(part_of(refusal, "text"))))), "不配合检查的情形："))
    follow = fields.get("followup")
    if part_of(follow, "due"):
        found.append(Words(f"{day_said(part_of(follow, 'due'))}前，{text_of(part_of(follow, 'text'))}", "后续处理："))
    return found


def _results(case: Case) -> Blocks:
    fields = case.fields
    main = say.RESULTS.get(text_of(fields.get("result")))
    found: Blocks = [Words(f"{main}。", "检查结果：")] if main else []
    if len(case.items) > 1:
        found += [
            Words(f"{name}：{listed(fields.get(f'result:{item}'), say.RESULTS)}。")
            for item, name in case.items
            if fields.get(f"result:{item}")
        ]
    found += [
        Words(f"{name}：{text_of(fields.get(f'basis:{item}'))}", "判定依据：")
        for item, name in case.items
        if text_of(fields.get(f"basis:{item}"))
    ]
    note = text_of(fields.get("result_note"))
    return [*found, Words(note, "说明：")] if note else found


def _rectification_order(case: Case, _made: Made) -> Parts:
    rows = [
        [str(one.n), one.text, one.basis, f"{day_said(one.due)}前" if one.due else "当场改正"]
        for one in problems_of(case.findings)
    ]
    blocks: Blocks = [
        Words(f"{case.subject}："),
        Words(say.ORDER_OPENS.format(day=day_said(case.ended_on))),
        Table(["序", "存在的问题", "依据", "改正期限"], [10, 0, 42, 43], rows),
        Words(say.ORDER_CLOSES),
        Words(say.REMEDY),
    ]
    return _subject(case), blocks, _to_write_on("执法人员", "执法人员", "被检查单位签收", "签收日期")


def _on_site_measures(case: Case, made: Made) -> Parts:
    major = [one for _, one in case.findings if one.get("severity") == "major"]
    rows = [[str(n), _found(one), text_of(one.get("basis"))] for n, one in enumerate(major, start=1)]
    measures = [[str(n), line] for n, line in enumerate(made.typed.lines, start=1)]
    blocks: Blocks = [
        Words(f"{case.subject}："),
        Words(say.MEASURES_OPEN.format(day=day_said(case.ended_on))),
        Table(["序", "重大事故隐患", "依据"], [10, 0, 52], rows),
        Words(say.MEASURES_BASIS.format(basis=made.typed.basis)),
        Table(["序", "现场处理措施"], [10, 0], measures),
        Words(say.MEASURES_CLOSE),
        Words(say.REMEDY),
    ]
    return _subject(case), blocks, _to_write_on("执法人员", "执法人员", "被检查单位签收", "签收日期")


def _recheck_opinion(case: Case, made: Made) -> Parts:
    answers = case.view["content"]["answer"]
    rows, left = [], list[str]()
    for one in made.ordered:
        answer = answers.get(point_of(one), {})
        verdict = {"pass": "已改正", "fail": "未改正", "na": "不再适用"}.get(answer.get("verdict"), "未查")
        if verdict in ("未改正", "未查"):
            left.append(str(one.n))
        by = f"{day_said(one.due)}前" if one.due else "当场改正"
        rows.append([str(one.n), one.text, by, verdict, text_of(answer.get("note"))])
    ends = say.RECHECK_SOME.format(n=len(left), which="、".join(left)) if left else say.RECHECK_ALL
    blocks: Blocks = [
        Words(f"{case.subject}："),
        Words(say.RECHECK_OPENS.format(day=day_said(case.ended_on), order=made.order_no)),
        Table(["序", "责令改正的问题", "期限", "复查情况", "说明"], [10, 0, 28, 23, 28], rows),
        Words(ends, "复查意见："),
        *([Words(made.typed.text)] if made.typed.text else []),
        _evidence(case),
    ]
    return [*_subject(case), [("复查人员", _crew(case))]], blocks, _signatures(case)


def _interview_record(case: Case, made: Made) -> Parts:
    typed = made.typed
    facts = [
        [("被询问人", typed.person), ("职务", typed.post)],
        [("所在单位", case.subject)],
        [("询问地点", typed.place)],
        [("询问时间", f"{moment_said(typed.since)}至{moment_said(typed.until)}")],
        [("询问人", _crew(case))],
        [("记录人", typed.recorder)],
    ]
    opens = say.INTERVIEW_OPENS.format(org=case.org, officers=_crew(case, with_certificates=False))
    talk = [Words(text, f"{who}：") for who, text in typed.talk]
    blocks: Blocks = [Words(opens), *talk, Words(say.INTERVIEW_CLOSES)]
    return facts, blocks, _to_write_on("被询问人", "日期", "询问人", "记录人")


def _refusal_record(case: Case, made: Made) -> Parts:
    fields = case.fields
    subject = case.mark_of("subject")
    refusal = fields.get("noncooperation")
    blocks: Blocks = [Words(say.REFUSAL_OPENS)]
    if part_of(refusal, "circumstances"):
        named = listed(part_of(refusal, "circumstances"), say.CIRCUMSTANCES)
        blocks += [Words(f"{named}。", "拒绝检查："), Words(text_of(part_of(refusal, "text")), "经过：")]
    if subject is not None and subject.refused is not None:
        blocks.append(Words(say.SIGNATURE_REFUSED.format(reason=subject.refused), "拒绝签字："))
        blocks.append(Words(moment_said(subject.at), "记录时间："))
    if made.typed.text:
        blocks.append(Words(made.typed.text, "补充说明："))
    facts = [*_subject(case), [("检查时间", _time(case))], [("检查人员", _crew(case))]]
    signers = [one for one in _signatures(case) if one.label != "现场负责人"]
    return facts, [*blocks, _evidence(case)], signers


_MAKERS: Final[Mapping[str, Callable[[Case, Made], Parts]]] = {
    "inspection_record": _inspection_record,
    "rectification_order": _rectification_order,
    "on_site_measures": _on_site_measures,
    "recheck_opinion": _recheck_opinion,
    "interview_record": _interview_record,
    "refusal_record": _refusal_record,
}
