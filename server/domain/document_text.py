"""What documents say in fixed words. They are Chinese whichever language their maker reads: they go to the subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "inspection_record": "现场检查记录",
    "rectification_order": "责令限期整改指令书",
    "on_site_measures": "现场处理措施决定书",
    "recheck_opinion": "整改复查意见书",
    "interview_record": "询问笔录",
    "refusal_record": "拒绝签字、拒绝检查记录",
}
RESULTS: Final[Mapping[str, str]] = {
    "no_problem_found": "未发现问题",
    "info_not_disclosed": "未按规定公示应当公示的信息",
    "info_false": "公示信息隐瞒真实情况弄虚作假",
    "unreachable": "通过登记的住所（经营场所）无法联系",
    "ordered_to_correct": "发现问题已责令改正",
    "serious_noncooperation": "不配合检查情节严重",
    "no_relevant_activity": "未发现开展本次抽查涉及的经营活动",
    "pending_followup": "发现问题待后续处理",
    "qualified": "合格",
    "unqualified": "不合格",
}
"""Article 24; its fifth is misprinted there."""

METHODS: Final[Mapping[str, str]] = {
    "document_review": "书面检查",
    "site": "实地核查",
    "testing": "检验检测",
    "inquiry": "询问",
    "other": "其他方式",
}
FORMS: Final[Mapping[str, str]] = {
    "comprehensive": "综合检查",
    "risk_class": "按风险分级检查",
    "campaign": "专项检查",
}
SEVERITIES: Final[Mapping[str, str]] = {"general": "一般", "major": "重大"}
CIRCUMSTANCES: Final[Mapping[str, str]] = {
    "entry_refused": "拒绝检查人员进入",
    "material_refused": "拒绝提供材料",
    "untrue_material": "提供虚假材料",
    "other_obstruction": "其他阻碍检查的情形",
}
WAYS: Final[Mapping[str, str]] = {
    "phone": "电话",
    "visit": "上门",
    "letter": "信函",
    "neighbour": "询问邻近单位",
    "other": "其他",
}

NOTHING: Final = "／"
"""What stands where a form has nothing to say."""

RECORD_READ: Final = "以上记录已交被检查单位现场负责人核阅。如需更正，另页写明，不在本页涂改。"
NOTHING_INSPECTED: Final = "本次未能开展实质性检查，以上为到场经过。"
ORDER_OPENS: Final = (
    "我局于{day}对你单位进行检查，发现下列问题。依照《中华人民共和国安全生产法》第六十五条第一款第（二）项、第（三）项，"
    "现责令你单位按所列期限逐项改正："
)
ORDER_CLOSES: Final = (
    "请在期限内改正，并把改正情况写成书面材料，附照片或凭证交我局。期限届满后，我局将派人复查；逾期不改正的，依法处理。"
    "整改期间，请采取措施防止发生事故。"
)
REMEDY: Final = (
    "如对本文书不服，可在收到之日起六十日内依法申请行政复议，或在六个月内依法向人民法院提起行政诉讼。"
    "复议、诉讼期间，本文书不停止执行，法律另有规定的除外。"
)
MEASURES_OPEN: Final = "我局于{day}对你单位进行现场检查，查明存在下列重大事故隐患，在排除前或者排除过程中不能保证安全："
MEASURES_BASIS: Final = "依照{basis}，决定采取以下现场处理措施："
MEASURES_CLOSE: Final = "隐患排除后，须经我局审查同意，方可恢复生产经营和使用。"
RECHECK_OPENS: Final = "我局于{day}对你单位落实《责令限期整改指令书》（{order}）的情况进行复查，逐项意见如下："
RECHECK_ALL: Final = "上列问题已按要求改正，本次整改复查结束。"
RECHECK_SOME: Final = "尚有 {n} 项没有按要求改正（第{which}项），将依法另行处理。"
REFUSAL_OPENS: Final = "检查人员在下列检查中已出示执法证件并说明来意。被检查单位有以下情形，现记录在案："
SIGNATURE_REFUSED: Final = "检查情况已当面告知，被检查单位拒绝在记录上签字。理由：{reason}"
INTERVIEW_OPENS: Final = (
    "告知：我们是{org}的执法人员{officers}，证件已出示。现依法向你了解情况，请如实回答；与本案无关的问题，你有权拒绝回答；"
    "你认为我们应当回避的，可以提出申请。"
)
INTERVIEW_CLOSES: Final = "以上笔录我看过（已向我宣读过），和我说的一致。"
REPLACES: Final = "本文书替代{no}。替代原因：{reason}"
CODE_SAYS: Final = "各签字均对应这份内容。扫码或对照核对码，可查验有无改动。"
CODE_PLAIN: Final = "本文书据此内容制作。扫码或对照核对码，可查验有无改动。"
NO_CODE: Final = "本文书在检查记录定稿前制作，没有核对码。"
