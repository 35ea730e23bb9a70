"""The demo's visits, played one after the other as they would have gone: every phase, types 1 4 5 6 8 and 10."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple

from server.demo import findings
from server.demo.phone import BEIJING
from server.demo.plan import moment
from server.demo.scenes import (
    Visit,
    answer,
    attend,
    conclude,
    enter,
    exchange,
    find,
    finish,
    meet,
    sign_all,
)


class Play(NamedTuple):
    """Which scene a visit plays, and on which weekday before today it begins, in which half of it."""

    scene: Callable[[Visit, date, int], None]
    workdays_ago: int
    half: str = "am"


def no_problem(visit: Visit, today: date, ago: int) -> None:
    """Type 1: all points hold, everybody signs."""
    meet(visit, moment(today, ago, 9, 20))
    enter(visit)
    attend(visit, visit.subject.contact, "安全科长")
    answer(visit)
    conclude(visit, _all(visit, "no_problem_found"), "no_problem_found", "检查要点全部符合或不适用，未发现问题。")
    finish(visit, "no_problem_found", sign_all(visit))


def unreachable(visit: Visit, today: date, ago: int) -> None:
    """Type 4: nobody at the registered address, on two days."""
    meet(visit, moment(today, ago, 10, 5))
    for phone in visit.phones:
        phone.set(visit.id, f"visit/no_interest:{phone.person.id}", {"interest": False, "reason": ""})
    leader = visit.leader
    attempts = [
        {
            "at": _at(moment(today, ago + 1, 15, 30)),
            "way": "phone",
            "result": "两次拨打均无人接听",
            "by": leader.person.id,
        },
        {"at": _at(moment(today, ago, 10, 12)), "way": "visit", "result": "大门上锁，无人应答", "by": leader.person.id},
    ]
    leader.set(visit.id, "visit/attempts", attempts)
    seen = leader.shoot(visit.id, "visit", "gate", visit.geo)
    leader.set(visit.id, f"media/{seen}/caption", "登记住所大门上锁，门口无单位标识。")
    leader.set(visit.id, "visit/result_note", "按登记的住所和电话均无法联系，未进行实质性检查。")
    conclude(visit, _all(visit, "unreachable"), "unreachable", "通过登记的住所无法联系，未进行实质性检查。")
    finish(visit, "unreachable", sign_all(visit, subject=False))


def entry_refused(visit: Visit, today: date, ago: int) -> None:
    """Type 6: the guard lets nobody in."""
    meet(visit, moment(today, ago, 14, 30))
    for phone in visit.phones:
        phone.set(visit.id, f"visit/no_interest:{phone.person.id}", {"interest": False, "reason": ""})
    leader = visit.leader
    leader.set(visit.id, "visit/certificates_shown", True)
    leader.set(
        visit.id,
        "visit/noncooperation",
        {
            "circumstances": ["entry_refused"],
            "text": "出示证件并说明来意后，门卫称负责人不在，拒绝开门，劝说 40 分钟无效。",
        },
    )
    seen = leader.shoot(visit.id, "visit", "gate", visit.geo)
    leader.set(visit.id, f"media/{seen}/caption", "门卫拒绝开门，检查人员在门外。")
    conclude(
        visit, _all(visit, "serious_noncooperation"), "serious_noncooperation", "拒绝检查人员进入，未进行实质性检查。"
    )
    finish(visit, "serious_noncooperation", sign_all(visit, subject=False))


def ordered(visit: Visit, today: date, ago: int) -> None:
    """Type 5 with type 1 beside it, two items at one door; something written on site comes after the final."""
    leader, second, third = visit.phones
    meet(visit, moment(today, ago, 14, 3))
    enter(visit)
    attend(visit, visit.subject.contact, "厂长")
    answer(visit, {"hc-1.02", "hc-2.01", "hc-5.04"})
    find(visit, second, findings.FADED_SIGN)
    find(visit, second, findings.MIXED_STORE)
    find(visit, third, findings.EXPIRED_MASKS)
    exchange(visit)
    results = {"hazchem-storage": ["ordered_to_correct"], "special-operations": ["no_problem_found"]}
    conclude(visit, results, "ordered_to_correct", "发现 3 个问题，其中重大 1 个，已责令限期改正。")
    signed = sign_all(visit)
    leader.propose(visit.id, "ordered_to_correct", signed)
    leader.sync()
    second.set(visit.id, "answer/hc-4.01/note", "防雷检测报告原件回单位后补看，编号已记。")


def put_off(visit: Visit, today: date, ago: int) -> None:
    """Type 8, and the subject won't sign: his refusal is in the record."""
    leader, mate = visit.phones
    meet(visit, moment(today, ago, 9, 40))
    enter(visit)
    attend(visit, visit.subject.contact, "仓储主管")
    answer(visit, {"hc-2.02", "hc-1.05"})
    find(visit, leader, findings.OVER_LIMIT)
    find(visit, mate, findings.LEAKING_TRAY)
    exchange(visit)
    due = (leader.clock + timedelta(20)).astimezone(BEIJING).date().isoformat()
    followup = {"owner": leader.person.id, "due": due, "text": "超量储存情况另行立案调查。"}
    leader.set(visit.id, "visit/followup", followup)
    conclude(visit, _all(visit, "pending_followup"), "pending_followup", "发现 2 个问题，超量储存另行处理。")
    finish(visit, "pending_followup", sign_all(visit, refusal="对超量认定有意见，拒绝签字"))


def void(visit: Visit, today: date, ago: int) -> None:
    """Begun, then declared void by the head; what the second officer still had to send is kept without effect."""
    meet(visit, moment(today, ago, 9, 10))
    enter(visit)
    answer(visit, share=0.2)
    visit.leader.sync()


def unqualified(visit: Visit, today: date, ago: int) -> None:
    """Type 10 by a standard: the confined spaces of a works don't comply."""
    leader, second, third = visit.phones
    meet(visit, moment(today, ago, 9, 0))
    enter(visit)
    attend(visit, visit.subject.contact, "安全总监")
    answer(visit, {"cs-1.01", "cs-4.03"})
    find(visit, second, findings.UNLISTED_PIT)
    find(visit, third, findings.DEAD_DETECTOR)
    exchange(visit)
    leader.set(visit.id, "visit/basis:confined-space", "GB 46768-2025 第4.1.1条、第4.5.1条")
    conclude(visit, _all(visit, "unqualified"), "unqualified", "有限空间辨识和检测仪器不符合强制性标准，判为不合格。")
    finish(visit, "unqualified", sign_all(visit))


def qualified(visit: Visit, today: date, ago: int) -> None:
    """Type 9: the confined spaces of a works comply with the standard."""
    meet(visit, moment(today, ago, 14, 0))
    enter(visit)
    attend(visit, visit.subject.contact, "安全主管")
    answer(visit)
    visit.leader.set(visit.id, "visit/basis:confined-space", "GB 46768-2025 第4.1条至第4.6条")
    conclude(visit, _all(visit, "qualified"), "qualified", "有限空间辨识、审批、监护和检测符合强制性标准，判为合格。")
    finish(visit, "qualified", sign_all(visit))


def no_activity(visit: Visit, today: date, ago: int) -> None:
    """Type 7: the works has stopped, and there is nobody in its pits."""
    meet(visit, moment(today, ago, 14, 0))
    enter(visit)
    attend(visit, visit.subject.contact, "留守人员")
    seen = visit.leader.shoot(visit.id, "visit", "gate", visit.geo)
    visit.leader.set(visit.id, f"media/{seen}/caption", "车间停产，污水池已清空加盖。")
    visit.leader.set(visit.id, "visit/result_note", "车间自 9 月起停产，没有开展有限空间作业。")
    conclude(visit, _all(visit, "no_relevant_activity"), "no_relevant_activity", "未发现开展有限空间作业。")
    finish(visit, "no_relevant_activity", sign_all(visit))


def stale(visit: Visit, today: date, ago: int) -> None:
    """All have signed, then a date is corrected: every signature shows what changed."""
    third = visit.phones[2]
    meet(visit, moment(today, ago, 9, 30))
    enter(visit)
    attend(visit, visit.subject.contact, "副总经理")
    answer(visit, {"hc-1.05"})
    row = find(visit, third, findings.LEAKING_TRAY)
    exchange(visit)
    conclude(visit, _all(visit, "ordered_to_correct"), "ordered_to_correct", "发现 1 个问题，已责令限期改正。")
    sign_all(visit)
    ahead = third.clock + timedelta(minutes=19)
    path = ["finding", row, "due"]
    due = (third.clock + timedelta(7)).astimezone(BEIJING).date().isoformat()
    base = third.pages[visit.id].heads(path)
    third.act(visit.id, "set", path, due, base=base, at=ahead)  # that phone's clock runs ahead, and the server notes it
    exchange(visit)


def pending(visit: Visit, today: date, ago: int) -> None:
    """Proposed, but one member signed on the leader's phone and has yet to confirm it on her own."""
    leader, second, third = visit.phones
    meet(visit, moment(today, ago, 14, 20))
    enter(visit)
    attend(visit, visit.subject.contact, "安全员")
    answer(visit, {"hc-1.02"})
    find(visit, leader, findings.FADED_SIGN)
    exchange(visit)
    conclude(visit, _all(visit, "ordered_to_correct"), "ordered_to_correct", "发现 1 个问题，已责令限期改正。")
    signed = [phone.sign(visit.id, phone.person.id, role) for phone, role in ((leader, "leader"), (second, "member"))]
    signed.append(leader.sign(visit.id, third.person.id, "member", via=True))
    signed.append(leader.sign(visit.id, "subject", "subject"))
    exchange(visit)
    finish(visit, "ordered_to_correct", signed)


def interrupted(visit: Visit, today: date, ago: int) -> None:
    """A crew of two loses one at the gate: he knows somebody there, and declares it."""
    mate = visit.phones[1]
    meet(visit, moment(today, ago, 10, 10))
    enter(visit)
    answer(visit, {"hc-1.05"}, share=0.4)
    find(visit, mate, findings.LEAKING_TRAY)
    exchange(visit)
    mate.set(
        visit.id, f"visit/no_interest:{mate.person.id}", {"interest": True, "reason": "保管员是本人表弟，刚刚得知。"}
    )
    mate.set(visit.id, "answer/hc-3.01/note", "台账还没看完。")
    exchange(visit)


def joint(visit: Visit, today: date, ago: int) -> None:
    """The joint check of a workshop, half done."""
    leader, second, third = visit.phones
    meet(visit, moment(today, ago, 15, 0))
    enter(visit)
    attend(visit, visit.subject.contact, "车间主任")
    answer(visit, {"wf-1.01", "wf-2.01", "wf-3.05"}, share=0.7)
    find(visit, leader, findings.LOCKED_EXIT)
    find(visit, second, findings.LOW_PRESSURE)
    find(visit, third, findings.OPEN_PANEL)
    exchange(visit)


def conflict(visit: Visit, today: date, ago: int) -> None:
    """Out of reach of any network: two wrote the same field, one struck a row, one tried to choose the result."""
    leader, second, third = visit.phones
    meet(visit, moment(today, ago, 9, 15))
    enter(visit)
    attend(visit, visit.subject.contact, "库管主任")
    answer(visit, {"hc-2.01", "hc-1.05", "hc-1.02"}, share=0.85)
    mixed = find(visit, second, findings.MIXED_STORE)
    tray = find(visit, third, findings.LEAKING_TRAY)
    exchange(visit)
    leader.set(visit.id, f"finding/{mixed}/severity", "major")
    second.set(visit.id, f"finding/{mixed}/severity", "general")
    third.set(visit.id, f"finding/{mixed}/place", "乙类库东北角，靠近卷帘门")
    leader.set(visit.id, f"finding/{tray}/text", "托盘积液约 2 升未清理，围堰缺口长 0.3 米。")
    third.set(visit.id, f"finding/{tray}/text", "托盘积液未清理，围堰西南角有缺口。")
    struck = find(visit, second, findings.FADED_SIGN)
    exchange(visit)
    third.act(visit.id, "del", ["finding", struck], {"reason": "和另一条重复"})
    second.set(visit.id, "visit/result:hazchem-storage", ["ordered_to_correct"])
    second.shoot(visit.id, f"finding:{mixed}", "drums", visit.geo, is_sent=False)
    exchange(visit)


PLAYS: Final = {
    "approved": Play(no_problem, 30),
    "confined-one": Play(qualified, 29, "pm"),
    "confined-two": Play(qualified, 24, "pm"),
    "confined-three": Play(no_activity, 20, "pm"),
    "unreachable": Play(unreachable, 18),
    "refused": Play(entry_refused, 16, "pm"),
    "ordered": Play(ordered, 14, "pm"),
    "returned": Play(put_off, 12),
    "void": Play(void, 10),
    "unqualified": Play(unqualified, 9),
    "stale": Play(stale, 5),
    "pending": Play(pending, 4, "pm"),
    "interrupted": Play(interrupted, 3),
    "joint": Play(joint, 2, "pm"),
    "conflict": Play(conflict, 1),
}
"""Name of a visit -> its play, in the order of time; visits without one are still to be begun."""


def _all(visit: Visit, *types: str) -> dict[str, list[str]]:
    return {item.id: list(types) for item in visit.items}


def _at(at: object) -> str:
    return str(at).replace(" ", "T")
