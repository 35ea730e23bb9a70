"""Every error that people can meet, written once: code, status, article, and the sentence in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Code(NamedTuple):
    """One line of the catalogue; `{name}` in a sentence is filled in from the problem's detail."""

    status: int
    article: str | None
    zh: str
    en: str


CODES: dict[str, Code] = {
    # --- the house: requests as such -----------------------------------------------------------------------------
    "bad_request": Code(400, None, "请求有误：{why}", "The request cannot be understood: {why}"),
    "not_json": Code(400, None, "请求内容不是合法的 JSON：{why}", "The body is not JSON: {why}"),
    "too_deep": Code(400, None, "请求内容嵌套过深。", "The body is nested too deeply."),
    "not_found": Code(404, None, "没有找到，或您无权查看。", "There is no such thing, or it is not for you to see."),
    "method_not_allowed": Code(405, None, "此地址不接受 {method} 请求。", "This address does not take {method}."),
    "too_large": Code(
        413, None, "请求内容过大，本次未保存任何内容。", "The body is too large; nothing of it was taken."
    ),
    "unsupported_media_type": Code(415, None, "不支持的内容类型。", "This type of content is not taken here."),
    "too_many_requests": Code(429, None, "请求过于频繁，请稍后再试。", "Too many requests; please wait a little."),
    "internal": Code(
        500,
        None,
        "服务器内部出错，请稍后重试；如再次出现，请将编号 {request_id} 告知管理员。",
        "The server failed; try again, and if it happens again tell the administrator the number {request_id}.",
    ),
    "unavailable": Code(503, None, "服务暂时不可用，请稍后重试。", "The service cannot answer now; please try again."),
    "disk_full": Code(
        507, None, "服务器存储空间不足，本次未保存任何内容。", "The server's disk is full; nothing was taken."
    ),
    # --- people: signing in, sessions, devices -------------------------------------------------------------------
    "not_signed_in": Code(401, None, "请先登录。", "Please sign in first."),
    "wrong_credentials": Code(401, None, "用户名或密码不正确。", "The user name or the password is wrong."),
    "slow_down": Code(
        429,
        None,
        "登录尝试过多，请在 {seconds} 秒后再试。",
        "Too many wrong sign-ins; please try again in {seconds} seconds.",
    ),
    "forbidden": Code(403, None, "您没有办理此事的权限。", "You have not the right to do this."),
    "proof_needed": Code(
        403,
        None,
        "这一步要先确认是您本人：请再输入一次密码（POST /api/session/proof），十分钟内有效。",
        "Confirm first that it is you: give the password again (POST /api/session/proof); it holds for ten minutes.",
    ),
    "password_must_change": Code(
        403,
        None,
        "您用的是一次性密码，请先改成自己的密码。",
        "Your password was given for one time; change it to one of your own first.",
    ),
    "account_changed": Code(
        409,
        None,
        "您查看后有人改了这个账号，没有保存。请核对现在的内容再改。",
        "Somebody changed this account after you looked at it; nothing was saved. Look at it again.",
    ),
    "account_state": Code(
        409, None, "这个账号现在不能这样办，请刷新后再看。", "The account does not stand so; reload the page."
    ),
    "last_admin": Code(
        409,
        None,
        "这是最后一位管理员，不能取消或停用。请先让另一位同事当管理员。",
        "This is the last administrator; make somebody else one first.",
    ),
    "own_roles": Code(
        403,
        None,
        "不能给自己加职责，请由另一位管理员办理。",
        "Nobody gives himself a role; another administrator does it.",
    ),
    "own_reset": Code(
        403,
        None,
        "自己的密码请在「我的账号」里修改。",
        "Change your own password under My account.",
    ),
    "phone_off": Code(409, None, "这部手机已经停用了。", "This phone is revoked already."),
    "unit_in_use": Code(
        409,
        None,
        "这个单位还有 {people} 个账号、{officers} 名执法人员、{units} 个下级单位，不能撤销。请先调到别处。",
        "The unit still has {people} accounts, {officers} officers and {units} units under it; move them first.",
    ),
    "bad_csrf": Code(403, None, "页面已过期，请刷新后重试。", "The page is out of date; reload it and try again."),
    "bad_origin": Code(403, None, "请求来自其他网站，已拒绝。", "The request comes from another site and was refused."),
    "bad_key": Code(400, None, "设备公钥无效：{why}", "The device's public key is not valid: {why}"),
    "rid_taken": Code(
        409,
        None,
        "此副本编号已由另一把密钥或另一名人员登记。",
        "This replica is enrolled with another key or by another person.",
    ),
    # --- (each part of the server adds its own section below) ------------------------------------------------------
    # --- sync: the exchange and the acts on a visit ----------------------------------------------------------------
    "min_proto": Code(
        426,
        None,
        "应用版本过旧，请更新应用后再同步；已保存的记录不会丢失。",
        "The app is too old to exchange (protocol {least} or newer); update it. Nothing that was saved is lost.",
    ),
    "unenrolled": Code(
        403,
        None,
        "此手机尚未登记，请重新登记；已保存的记录不会丢失。",
        "This phone is not enrolled; enrol it again. Nothing that was saved is lost.",
    ),
    "device_revoked": Code(
        403,
        None,
        "此手机已被注销：之后上传的记录将暂存待审。",
        "This phone was revoked: what it sends is kept and waits for a decision.",
    ),
    "not_admissible": Code(409, None, "该记录不能采纳（{reason}）。", "This record cannot be admitted ({reason})."),
    "already_effective": Code(409, None, "该记录已经有效。", "This record has effect already."),
    "final": Code(
        409,
        None,
        "本次检查已定稿；如需变更，请由单位负责人重新开启。",
        "The record is final; to change it the unit head has to reopen it first.",
    ),
    "not_final": Code(
        409, None, "本次检查尚未定稿，或轮次不符。", "The record is not final, or the round is not the next one."
    ),
    "needs_approval": Code(
        403,
        "20",
        "更换或移出抽取的执法人员须经单位负责人同意。",
        "Replacing or removing a drawn officer needs the unit head's agreement.",
    ),
    "visit_started": Code(
        409,
        "22",
        "其中一次检查已有手机记录，不能再合并。",
        "One of the visits has records of a phone: too late to merge.",
    ),
    "other_subject": Code(
        409, "22", "两次检查的对象不是同一家，不能合并。", "The visits are of different subjects and stay apart."
    ),
    "windows_apart": Code(
        409, "22", "两次检查的时限没有重叠，不能合并。", "No day lies in the windows of both visits: they stay apart."
    ),
    "merge_two_crews": Code(
        409,
        "22",
        "两次检查都已抽取或正在抽取检查组，不能再合并。",
        "A crew was drawn, or is being drawn, for both visits: they stay apart.",
    ),
    "merge_crew_stays": Code(
        409,
        "22",
        "另一次检查已有检查组：请到那一次检查的页面合并，检查组不变。",
        "The other visit has a crew: merge on that visit's page, so that its crew stays.",
    ),
    "merge_day_outside": Code(
        409,
        "22",
        "检查组约定的上门日期 {day} 不在两项任务共同的期间内，不能合并。",
        "The crew's day, {day}, is not in the days that both tasks have: the visits stay apart.",
    ),
    "merge_sector": Code(
        409,
        "22",
        "检查组的执法领域不包含另一项任务的事项，不能合并。",
        "The crew is not of the other task's sector: the visits stay apart.",
    ),
    "points_clash": Code(
        409,
        None,
        "两份检查表中有编号相同的要点，不能合并。",
        "Both checklists have a point of the same id: they stay apart.",
    ),
    "own_op": Code(403, None, "不能采纳自己的记录，须由他人决定。", "Nobody admits an operation of his own."),
    # --- the office: reviewing a received record -----------------------------------------------------------------
    "other_unit": Code(403, "3", "由实施检查的股室办理。", "This is for the inspecting unit to do."),
    "own_crew": Code(
        403,
        "10",
        "你是这户的检查组成员，不能审核，也不能公示。",
        "You were of this crew: you neither review nor publish it.",
    ),
    "already_reviewed": Code(409, None, "这一轮已经审核过了。", "This round has been reviewed already."),
    "not_final_yet": Code(409, None, "还没有定稿，暂不能办。", "The record isn't final yet."),
    "not_approved": Code(
        409, "26", "这一轮记录还没有审核通过，先审核再公示。", "This round isn't approved yet: review it first."
    ),
    "order_first": Code(
        409,
        "26",
        "责令改正的文书还没有编号，先做文书再公示。",
        "The order to correct has no number yet: make it first.",
    ),
    "already_published": Code(409, "26", "这个结果已经公示。", "This result is published already."),
    "withheld": Code(409, "26", "这个结果已申请或批准不公示。", "It was asked or decided not to publish this result."),
    "record_moved": Code(409, None, "记录刚有变动，请刷新后再办。", "The record has just moved: load the page again."),
    "withholding_there": Code(
        409, "26", "已经有一份不公示的申请。", "There is a request not to publish this result already."
    ),
    "withholding_decided": Code(409, "26", "这份申请已经有决定。", "This request was decided already."),
    "withholding_not_standing": Code(409, "26", "这个结果没有在不公示中。", "This result isn't being kept back."),
    "correction_there": Code(
        409, "26", "已经有一份更正在等负责人签字。", "A correction waits for the signature already."
    ),
    "correction_decided": Code(409, "26", "这份更正已经有决定。", "This correction was decided already."),
    "correction_moved": Code(
        409,
        "26",
        "更正的内容已变，请重新看过再签字。",
        "What would be published has changed: read it again, then sign.",
    ),
    "media_first": Code(
        409, "26", "照片还没到齐，到齐后才能通过。", "Photos are still to come; then it can be approved."
    ),
    "material_first": Code(
        409,
        "26",
        "暂存待审和定稿后到的内容还没有处理：逐条采纳，或者写明理由不采纳。",
        "What is set aside or came late waits for a word: admit it, or leave it out with a reason.",
    ),
    "material_settled": Code(
        409, None, "这些内容已经处理过，或者不在待处理之列。", "These entries were dealt with already, or don't wait."
    ),
    "refusal_noted": Code(
        409, "23", "没有等您知悉的拒签，或者已经记下。", "No refused signature waits for you, or it is noted already."
    ),
    "codes_meanwhile": Code(
        409,
        "24",
        "有人刚保存了同一套代码的新一版，请重新打开再办。",
        "Somebody has just entered a version: open it again.",
    ),
    "comment_missing": Code(400, None, "请写明哪里要改、要补什么。", "Say what must be changed or added."),
    "comment_too_long": Code(
        400, None, "说明有 {n} 个字，最多 2000 个。", "The comment has {n} characters, at most 2000 are taken."
    ),
    "reason_missing": Code(400, None, "请写明理由。", "Give a reason."),
    "untraced": Code(
        500,
        "10",
        "「{act}」没有按规定留痕（{n} 条），已全部撤回，什么也没有改。请把这句话告诉管理员。",
        "'{act}' left {n} entries in the trail instead of one; all of it was undone. Please tell the administrator.",
    ),
    "append_only": Code(
        409,
        "10",
        "留痕和已公布的内容只能添加，任何人都不能修改或删除。",
        "The trail and what was released are only added to: nobody edits or deletes them.",
    ),
    # --- the office: what is entered in its rooms ------------------------------------------------------------------
    "entered_meanwhile": Code(
        409,
        None,
        "同样的内容已经录入，这次没有重复保存。",
        "The same is there already; it was not saved a second time.",
    ),
    "invalid": Code(
        422, None, "有 {n} 处填写不对，改好后再提交。", "{n} entries are not right; mend them and send again."
    ),
    # --- draws: commitment, sources, lock, exclusions ----------------------------------------------------------------
    "draw_stands": Code(
        409,
        "15-2",
        "{no} 号抽查还在进行，不能另抽一次。确需重来，请单位负责人写明理由作废，再抽下一次。",
        "Draw {no} stands: nothing is drawn a second time. The unit head can void it with a reason, then try again.",
    ),
    "draw_source_wrong": Code(
        422,
        "15-2",
        "外部来源「{id}」不成立：编号要用字母数字、互不相同，写明确切内容，分量按种类计算。",
        "Source '{id}' will not do: an id of its own in plain letters, what it is exactly, and the bits of its kind.",
    ),
    "draw_source_past": Code(
        422,
        "15-2",
        "外部来源「{id}」的期限 {due} 已经过去。来源必须是承诺之后才会出现的。",
        "Source '{id}' was due at {due}; a source must lie after the commitment.",
    ),
    "draw_sources_weak": Code(
        422,
        "15-2",
        "外部来源合计只有 {bits} 比特，至少要 {least} 比特（六位数字只约 20 比特）。请加一个来源，如开奖号码或掷骰子。",
        "The sources have {bits} bits together, {least} are needed (six digits have about 20). Add another source.",
    ),
    "draw_value_wrong": Code(
        422,
        "15-2",
        "「{id}」的内容不合这个来源的格式或位数，请对照凭证再填。",
        "This is no value that '{id}' can bring, in form or length; compare it with the evidence.",
    ),
    "draw_early": Code(
        422,
        "15-2",
        "「{id}」的时间 {at} 早于承诺公布的时间 {committed_at}，不能采用。",
        "'{id}' is stamped {at}, before the commitment of {committed_at}: it cannot be taken.",
    ),
    "draw_future": Code(422, "15-2", "「{id}」的时间还没有到。", "The moment given for '{id}' lies in the future."),
    "draw_late": Code(
        422,
        "15-2",
        "「{id}」超过了公布的期限 {due}，不能采用。请单位负责人作废这一次，重新公布来源。",
        "'{id}' came after its deadline of {due}: it cannot be taken. Have the attempt voided and name sources anew.",
    ),
    "draw_given": Code(
        409,
        "15-2",
        "「{id}」已经录入过，不能改。录错了，请单位负责人写明理由作废这一次。",
        "'{id}' was entered already and stays as it is. If it is wrong, have the attempt voided with a reason.",
    ),
    "draw_order": Code(
        409,
        "15-2",
        "请按公布的顺序录入：现在轮到「{wanted}」，不是「{id}」。",
        "Sources are entered in the order announced: it is the turn of '{wanted}', not of '{id}'.",
    ),
    "draw_evidence_missing": Code(
        422, "15-2", "请附上凭证：照片、文件，或公开网址。", "Add the evidence: a photo, a file or a public address."
    ),
    "draw_witness_missing": Code(422, "15-2", "请写明由谁提供或见证。", "Say who brought it or witnessed it."),
    "draw_frame_wrong": Code(
        409,
        "16",
        "名单不能冻结：{why}。请先在对象库中改正。",
        "The list cannot be frozen: {why}. Mend it in the library first.",
    ),
    "draw_nobody": Code(
        409,
        "16",
        "名单里没有可以抽取的对象。",
        "There is nobody on the list who can be drawn.",
    ),
    "draw_class_missing": Code(
        409,
        "16",
        "「{name}」这一类没有比例或权重。请修改任务。",
        "Class {name} has neither ratio nor weight; change the task.",
    ),
    "draw_number_wrong": Code(
        409,
        "15-2",
        "要抽 {n} 户，可抽的有 {candidates} 户，抽不成。请修改任务的数量。",
        "{n} are to be drawn of {candidates} candidates: that cannot be. Change the task's number.",
    ),
    "draw_below_floor": Code(
        409,
        "6",
        "只抽 {n} 户，低于监管对象的 5%（至少 {floor} 户）。请加大数量，或先报主要负责人批准。",
        "{n} is below 5 % of those supervised (at least {floor}). Draw more, or have it approved by the principal.",
    ),
    "draw_waits": Code(
        409, "15-2", "外部来源还没有录齐，还差「{id}」。", "The sources are not complete: '{id}' is missing."
    ),
    "draw_drawn": Code(
        409, "15-2", "{no} 号抽查已经抽出，结果不会再变。", "Draw {no} has been drawn; its outcome stands."
    ),
    "draw_state": Code(
        409, "15-2", "{no} 号抽查现在不能这样办，请刷新后再看。", "Draw {no} does not stand so; reload the page."
    ),
    "draw_altered": Code(
        409,
        "15-2",
        "{no} 号抽查的名单、规则或密数与承诺不一致，不能抽取。请保留现场并报告。",
        "List, rules or secret of draw {no} are not those of its commitment: nothing is drawn. Report it as it is.",
    ),
    "draw_not_on_list": Code(
        409, "16", "「{found}」不在这次抽出的名单上。", "'{found}' is not on the list that was drawn."
    ),
    "draw_alive": Code(
        409,
        "16",
        "对象库里「{found}」仍在存续，不能免除。请先按凭证更新它的状态。",
        "The library has '{found}' as active: it cannot be excused. Enter its status from the document first.",
    ),
    "draw_no_document": Code(
        409,
        "16",
        "对象库里没有「{found}」停业或注销的文书。请先在对象页面凭文书登记它的状态。",
        "The library names no document for the status of '{found}'. Enter its status with the document first.",
    ),
    "draw_excuse_asked": Code(
        409,
        "16",
        "「{found}」的免查申请已经在等负责人确认。",
        "A request to excuse '{found}' waits for the head already.",
    ),
    "draw_excuse_decided": Code(409, "16", "这件免查申请已经有答复了。", "This request has been answered already."),
    "draw_locked": Code(
        409,
        "17",
        "{no} 号抽查的名单已经锁定并派发，不能作废或更改；个别对象可经单位负责人同意撤回。",
        "The list of draw {no} is locked and dispatched; single subjects can be withdrawn with the head's approval.",
    ),
    "draw_void": Code(409, "15-2", "{no} 号抽查第 {attempt} 次已经作废。", "Attempt {attempt} of draw {no} is void."),
    "draw_own_void": Code(
        403,
        "15-2",
        "谁公布的承诺，谁不能作废，请另一位负责人办理。",
        "Who published the commitment cannot void it; somebody else must.",
    ),
    "draw_twice": Code(
        409,
        "15-1",
        "「{found}」锁定后将超过一年 {cap} 次，不能锁定。请作废这次抽查，重新冻结名单。",
        "The lock would take '{found}' past {cap} draws a year. Void this draw and freeze the list anew.",
    ),
    "exclusion_decided": Code(
        409, "16", "这条排除申请已经办理过了。", "This request to leave a subject out has been decided."
    ),
    # --- the item list -------------------------------------------------------------------------------------------
    "item_not_released": Code(
        409,
        "2",
        "「{items}」不在现行的抽查事项清单里，不能进入随机抽查任务。请先由法规股公布。",
        "Not on the released item list: {items}. Only its items enter a random task; have them released first.",
    ),
    "item_not_in_version": Code(
        404,
        "5",
        "第 {n} 版抽查事项清单里没有这个事项。",
        "Version {n} of the item list has no such item.",
    ),
    "item_needs_review": Code(
        409,
        "32",
        "「{name}」是附表事项的草稿，还没有核对。核对后去掉「待核对」再提交。",
        "'{name}' is a draft of the annex that nobody has reviewed; review it, then submit it.",
    ),
    "item_incomplete": Code(
        422,
        "5",
        "「{name}」还缺 {n} 项要素，补齐后再提交。",
        "'{name}' lacks {n} of the things that an item must say; add them, then submit it.",
    ),
    "item_state": Code(
        409,
        "5",
        "这个事项现在不能这样办，请刷新后再看。",
        "The item does not stand where this can be done; reload the page.",
    ),
    "item_changed": Code(
        409,
        None,
        "您编辑时，别人已保存了新的内容。您写的都还在，请核对两份后再保存。",
        "Somebody else saved while you were editing. All that you typed is still here: compare both, then save.",
    ),
    "list_changed": Code(
        409,
        "5",
        "您查看后清单又有改动，没有公布。请核对新的差异后再公布。",
        "The list changed after you looked at it, so nothing was released; look at the differences again.",
    ),
    "list_unchanged": Code(
        409,
        "5",
        "与现行清单没有差异，不用公布新版。",
        "Nothing differs from the current list: there is nothing to release.",
    ),
    "own_entry": Code(
        403,
        "10",
        "其中有您本人录入的内容，请由他人审批。",
        "You entered some of this yourself; somebody else has to approve it.",
    ),
    # --- officers, experts, agencies, interests, leave -----------------------------------------------------------
    "taken_meanwhile": Code(
        409,
        None,
        "刚才别人录入了同样的号码，本次没有保存。请核对后再提交。",
        "Somebody else entered the same number just now; nothing was saved. Compare, then send again.",
    ),
    "changed_meanwhile": Code(
        409,
        None,
        "你打开之后，这一条被别人改过，本次没有保存。请看过新内容再改。",
        "Somebody else changed this after you opened it; nothing was saved. Look at it again, then change it.",
    ),
    "person_left": Code(
        409,
        "9",
        "{name} 从 {day} 起已不在岗。历史保留，不能再改；回岗的先登记回岗。",
        "{name} is no longer there from {day}. The history stays; note the return first.",
    ),
    "certificate_over": Code(
        409,
        "19",
        "{name} 的执法证有效期到 {day} 为止，不够用到检查那天。请换人，或先登记换证。",
        "{name}'s certificate ends on {day}, before the inspection does; take somebody else, or note the new one.",
    ),
    "certificate_not_yet": Code(
        409,
        "19",
        "{name} 的执法证从 {day} 起才有效。请换人。",
        "{name}'s certificate only begins on {day}; take somebody else.",
    ),
    "on_leave": Code(
        409,
        None,
        "{name} 请假到 {day}。请改日，或换人。",
        "{name} is on leave until {day}; choose another day, or somebody else.",
    ),
    "interest_known": Code(
        409,
        "20",
        "{name} 与 {subject} 有登记在册的利害关系，应当回避。请换人。",
        "{name} has a known interest in {subject} and stands aside; take somebody else.",
    ),
    # --- rule sets and the calendar ------------------------------------------------------------------------------
    "rules_decided": Code(
        409,
        "31",
        "规则第 {n} 版已经作过决定，不能再改；要调整，请起草新版本。",
        "Version {n} has been decided on and stays as it is; propose a new version to change something.",
    ),
    "rules_late": Code(
        409,
        "31",
        "这一版定于 {day} 起执行，日期已到，不能再批准；请法规股改期后重新起草。",
        "This version was to begin on {day}, which has come; the legal unit has to propose it again with a later day.",
    ),
    "non_random_decided": Code(
        409, "2", "这次检查已经作过决定，不能再改。", "This inspection has been decided on and stays as it is."
    ),
    "calendar_unchanged": Code(
        409,
        "26",
        "{year} 年的日历和现行版本完全一样，不用再导入。",
        "The calendar of {year} is the same as the version in force; there is nothing to import.",
    ),
    # --- import and export ---------------------------------------------------------------------------------------
    "bad_sheet": Code(
        422,
        "7",
        "这个文件不能导入，有 {n} 处要改。改好后请重新选择文件。",
        "This file cannot be imported: {n} things have to be mended. Mend them and choose the file again.",
    ),
    "import_not_now": Code(
        409,
        "7",
        "这一批导入现在不能这样办，请刷新页面看它进行到哪一步。",
        "That cannot be done with this import now; reload the page to see how far it is.",
    ),
    "import_faults_left": Code(
        409,
        "7",
        "还有写错或重复的行。请改好文件重新导入，或勾选「跳过有错的行」。",
        "Rows with faults are left. Mend the file and bring it again, or tick that they are to be left out.",
    ),
    "import_changes_unsaid": Code(
        409,
        "7",
        "有 {changed} 行与库中已有内容不同。请选择用文件的内容更新，还是保留库中的内容。",
        "{changed} rows differ from what is there. Choose whether the file or the library is right.",
    ),
    "import_nothing": Code(
        409,
        "7",
        "这个文件没有要写入的内容：没有新增，也没有要更新的行。",
        "There is nothing to apply in this file: no new rows, and no changes to take.",
    ),
    "export_reason_missing": Code(
        422,
        "7",
        "导出完整的电话、证件号须写明用途。",
        "Say what whole phone and ID numbers are exported for.",
    ),
    "province_not_exported": Code(
        409,
        "7",
        "这一条还没有导出到省平台，不能登记回执。请先导出。",
        "This was not exported to the province's platform yet, so there is no receipt to note. Export it first.",
    ),
    "province_number": Code(
        422,
        "7",
        "请填写省平台的编号，最多 64 个字；同类事项中不能重复。",
        "Give the platform's number, at most 64 characters, not yet used for this kind.",
    ),
    # --- tasks and their dispatch --------------------------------------------------------------------------------
    "task_invalid": Code(
        422,
        "15-2",
        "任务还有 {n} 处要改，请看各项下面的说明。填写的内容都还在。",
        "{n} fields of the task need another look; what was typed is kept.",
    ),
    "task_dispatched": Code(
        409,
        "17",
        "任务已经派发，名单和设置不能再改。确需撤出某一户，请申请撤出并写明理由。",
        "The task is dispatched: list and settings stay. To take a subject out, ask for its withdrawal with a reason.",
    ),
    "task_cancelled": Code(409, "15-2", "任务已经取消。", "The task is cancelled."),
    "task_has_draw": Code(
        409,
        "16",
        "这个任务已经封存名单，不能改。要改，先由负责人作废这次抽取，作废会留痕并公开。",
        "The list of this task is committed. To change the task, the head voids the draw first, which stays public.",
    ),
    "task_drawn_elsewhere": Code(
        409,
        "13",
        "这个任务由{lead}抽取名单，这里不再抽。请导入名单后派发。",
        "{lead} draws the subjects of this task; dispatch with the list that was received.",
    ),
    "task_not_approved": Code(
        409,
        "15-2",
        "还没有负责人的批准文号和日期。请负责人先批准；遇事故可先行检查，写明原因，事后补批。",
        "The head's approval with number and date is missing; in an incident it may follow, with a reason.",
    ),
    "task_approved_already": Code(409, "15-2", "任务已经批准。", "The task is approved already."),
    "task_approval_invalid": Code(
        422, "15-2", "请写批准文号和批准日期。", "Give the number and the date of the approval."
    ),
    "task_floor_undecided": Code(
        409,
        "6",
        "数量 {n} 低于下限 {floor}，要先由主要负责人同意。",
        "{n} is below the least number {floor}: the principal has to approve that first.",
    ),
    "task_not_drawn": Code(
        409,
        "1",
        "还没有存下的抽取结果，不能派发。请先抽取，或导入牵头部门的名单。",
        "There is no stored draw, so nothing can be dispatched: draw first, or import the lead's list.",
    ),
    "task_window_over": Code(
        409,
        "15-2",
        "检查时间在 {day} 已经结束，不能派发。请股室负责人写明理由延长检查时间。",
        "The window ended on {day}: nothing is dispatched. The unit head makes it longer, with a reason.",
    ),
    "task_not_extended": Code(
        409,
        "15-2",
        "还没有抽取，请直接修改任务的检查时间并重新批准。",
        "Nothing is drawn for it yet: change the task's window, and have it approved again.",
    ),
    "task_over": Code(409, "15-2", "任务的检查都已经结束，不用延长。", "Every visit of the task is over already."),
    "task_drawn_cancel": Code(
        403,
        "17",
        "这项任务已经抽取过，只有股室负责人或主要负责人能取消，并要写明理由。",
        "There was a draw for this task: only the unit head or the principal cancels it, with a reason.",
    ),
    "task_reserved": Code(
        409,
        "15-1",
        "名单里有 {n} 户（{codes}）也在另一次还没有下达的抽取里，可能抽到第三次。请等那次下达或者作废以后再下达。",
        "{n} subjects of the list ({codes}) are in a draw that isn't dispatched yet and might be drawn a third time. "
        "Wait until that one is dispatched or void.",
    ),
    "task_all_twice": Code(
        409,
        "15-1",
        "名单里的每一户本年都已抽到 {cap} 次，没有可以检查的。",
        "Everybody on the list has been drawn {cap} times this year already: there is nobody to inspect.",
    ),
    "task_list_unknown": Code(
        409,
        "13",
        "名单里还有 {n} 户不在名录：{codes}。请先录入，再派发。",
        "{n} subjects of the list aren't in the library: {codes}. Enter them first, then dispatch.",
    ),
    "task_uncovered": Code(
        409,
        "16",
        "抽中的 {codes} 不适用任务的任何事项，没有检查表可派。",
        "No item of the task covers {codes}, so there is no checklist to send.",
    ),
    "task_unit_unfit": Code(
        422, "17", "请选承办的股室或二级单位。", "Choose the section or brigade that carries it out."
    ),
    "withdrawal_reason_missing": Code(422, "17", "请写明撤出的理由。", "Say why the subject is taken out."),
    "withdrawal_not_possible": Code(
        409,
        "17",
        "这一户现在不能撤出：{state}。",
        "The subject can't be taken out now: {state}.",
    ),
    "withdrawal_decided": Code(409, "17", "这个申请已经有决定。", "The request is decided already."),
    # --- the annual plan -----------------------------------------------------------------------------------------
    "plan_order": Code(
        409,
        "12",
        "计划还没有走到这一步。顺序是：股室提交、法规股汇总、主要负责人批准、备案、公布。",
        "The plan isn't there yet: units submit, the legal unit consolidates, the principal approves, then it is filed "
        "and released.",
    ),
    "plan_released": Code(
        409,
        "12",
        "已公布的计划不能直接修改，请由法规股写明理由后调整。",
        "A released plan is never edited: the legal unit amends it with a reason.",
    ),
    "plan_year_taken": Code(409, "12", "{year} 年的计划已经有了。", "There is a plan of {year} already."),
    "plan_number_missing": Code(
        422,
        "12",
        "请填写所属安全生产年度监督检查计划的文号。",
        "Give the number of the yearly safety-supervision plan that this plan belongs to.",
    ),
    "plan_reason_missing": Code(422, "12", "请写明调整计划的理由。", "Say why the plan is amended."),
    "plan_line_invalid": Code(
        422,
        "14",
        "计划行有 {n} 处填写不对：范围、时间、预估数量和两种抽查的比例都要写明。",
        "{n} entries of the line are not right: scope, window, estimated count and both shares have to be there.",
    ),
    "plan_line_taken": Code(
        409,
        "14",
        "本股室这个事项在同一时间段已有一行，请直接修改那一行。",
        "The unit has a line for this item and window already; change that one.",
    ),
    "plan_below_floor": Code(
        422,
        "6",
        "{n} 户低于抽查比例的下限。请写明理由，再由主要负责人批准。",
        "{n} is below the least ratio: give a reason, which the principal then has to approve.",
    ),
    "plan_over_cap": Code(
        422,
        "15-1",
        "今年只有 {n} 户可抽：其余已抽中两次，到了上限。专项或定向部署的，请填文件。",
        "Only {n} can be drawn: the others were drawn twice and are at the cap. A campaign gives its document.",
    ),
    "plan_below_proposal": Code(
        422, "15-1", "{n} 户少于系统建议的数量，请写明理由。", "{n} is less than what is proposed: give a reason."
    ),
    "plan_flagged_not_raised": Code(
        422,
        "6",
        "投诉较多或有严重违法迹象的主体，抽查比例没有高于其他主体，请写明理由。",
        "Subjects with complaints or signs of serious violation get no higher ratio than the rest: give a reason.",
    ),
    "plan_empty": Code(
        409,
        "12",
        "{about}还没有计划行。没有抽查计划的，请由股室负责人注明原因。",
        "{about} has no lines yet; if it plans nothing, the unit head says why.",
    ),
    "plan_unsigned": Code(
        409,
        "12",
        "还有 {n} 行没有股室负责人签字：{about}。",
        "{n} lines still lack the unit head's signature: {about}.",
    ),
    "plan_units_open": Code(
        409,
        "12",
        "还有股室没有提交：{about}。没有抽查计划的，请注明原因。",
        "Units that haven't submitted yet: {about}. Who plans nothing says why.",
    ),
    "plan_no_line": Code(
        409,
        "6",
        "这些事项全年一次抽查也没有安排：{about}。请补上，或报主要负责人批准。",
        "No draw at all is planned this year for: {about}. Add one, or have the principal approve that.",
    ),
    "plan_below_floor_sum": Code(
        409,
        "6",
        "这些事项的计划数合起来低于抽查比例的下限：{about}。请补足，或报主要负责人批准。",
        "The planned numbers together are below the least ratio for: {about}. Add to them, or have that approved.",
    ),
    "plan_undecided": Code(
        409,
        "6",
        "还有 {n} 项低于比例或频次的申请等主要负责人决定：{about}。",
        "{n} requests to go below ratio or frequency still wait for the principal: {about}.",
    ),
    "plan_no_joint": Code(
        409,
        "13",
        "计划里还没有部门联合抽查。每年至少牵头或参与一次。",
        "The plan has no joint task yet: at least one a year is led or joined.",
    ),
    "plan_not_filed": Code(
        409,
        "12",
        "还没有完成备案：{about}。上一级和同级市场监管部门都要有文号和日期。",
        "Not filed yet with: {about}. Both the authority above and the market regulator give number and date.",
    ),
    "plan_filing_invalid": Code(
        422, "12", "备案要写明机关、文号和日期。", "A filing names the authority, a number and a date."
    ),
    "plan_filed_already": Code(409, "12", "这一版已经在该处备案。", "This version has been filed there already."),
    "plan_unchanged": Code(
        409,
        "12",
        "和已公布的版本没有差异，不需要调整。",
        "Nothing differs from the released version: there is nothing to amend.",
    ),
    "plan_nothing_to_give_back": Code(
        409, "12", "这个股室还没有提交，不用退回。", "The unit hasn't submitted: there is nothing to give back."
    ),
    "plan_has_lines": Code(
        409,
        "12",
        "本股室已有计划行，不能注明「没有计划」。",
        "The unit has lines, so it can't be noted as planning nothing.",
    ),
    "plan_signed_already": Code(409, "12", "这一行已经签过字。", "The line is signed already."),
    "override_not_needed": Code(
        409, "6", "没有低于比例或频次，不需要申请。", "Nothing is below ratio or frequency: no approval is needed."
    ),
    "override_asked": Code(409, "6", "同样的申请已在等待决定。", "The same request already waits for a decision."),
    "override_decided": Code(409, "6", "这项申请已经有了决定。", "This request has been decided already."),
    "joint_list_invalid": Code(
        422,
        "13",
        "导入牵头部门名单要写明部门、文号、抽取日期，并附名单文件。",
        "A lead's list comes with the department, the document's number, the day of the draw and the file.",
    ),
    "joint_not_participant": Code(
        409,
        "13",
        "只有「参与」的联合抽查才导入牵头部门的名单；我方牵头的由本系统抽取。",
        "Only where we take part is the lead's list imported; where we lead, the draw is ours.",
    ),
    "joint_list_known": Code(409, "13", "同一份名单已经导入过。", "This very list has been imported already."),
    "plan_part_in": Code(
        409,
        "12",
        "这个股室的计划已经提交；要改，请法规股先退回。",
        "This unit's part was handed in; to change it the legal unit gives it back first.",
    ),
    # --- crews: matches, ways out, replacements, recusals ------------------------------------------------------------
    "crew_not_dispatched": Code(
        409, "18", "任务下达以后才匹配执法人员。", "Crews are matched once the task is dispatched."
    ),
    "crew_committed": Code(
        409,
        "18",
        "这次匹配已经承诺，不能再改。确有必要时由股室负责人作废，再做第二次。",
        "This match is committed and stays. If it must be, the unit head voids it, and a second attempt follows.",
    ),
    "crew_nothing_left": Code(409, "18", "这项任务的每一户都有检查组了。", "Every visit of this task has its crew."),
    "crew_unplanned": Code(
        409,
        "18",
        "还有 {n} 户没有定上门时间，请先保存时间安排。",
        "{n} visits have no half-day yet; save the plan first.",
    ),
    "crew_day_past": Code(
        409, "18", "{day} 已经过去，请先改上门时间。", "{day} has passed; change the half-day first."
    ),
    "crew_infeasible": Code(
        409,
        "18",
        "执法人员不够，还差 {short} 名，配不出来。请看缺口说明，换时间，或走第十八条的两条路。",
        "There are not enough officers, {short} short. See what is missing: another day, or a way of article 18.",
    ),
    "crew_feasible": Code(
        409,
        "18",
        "系统能配出检查组，不能走直接委派或合并匹配。",
        "Crews can be matched, so neither direct assignment nor a merged pool is open.",
    ),
    "crew_open_elsewhere": Code(
        409,
        "18",
        "本股室另一项任务在同一半天的匹配还没有完成，请先做完那一项。",
        "Another match of this unit for the same half-days is not finished; finish that one first.",
    ),
    "crew_not_qualified": Code(
        409,
        "18",
        "所选人员中有人证件无效、须回避、请假或者专业不符，不能委派。",
        "One of the chosen officers has no valid certificate, must keep away, is on leave, or lacks the domain.",
    ),
    "crew_too_few": Code(
        422,
        "18",
        "每户至少要两名执法人员，其中一名任组长。",
        "A visit needs two officers at least, one of them leading.",
    ),
    "crew_no_expert": Code(
        409,
        "18",
        "「{subject}」要的专家不够，专家库里合适的只有 {n} 名。",
        "Not enough experts for {subject}: the library has only {n} who fit.",
    ),
    "crew_expert_left": Code(
        409,
        "18",
        "为「{subject}」指定的专家那天已不在专家库，请重新指定。",
        "An expert appointed for {subject} has left the library by that day; appoint another one.",
    ),
    "crew_waits": Code(409, "18", "约定的随机数还没有收齐。", "Not every promised number has come yet."),
    "crew_state": Code(
        409, "18", "这次匹配现在不能这样办，请刷新后再看。", "The match does not stand so; reload the page."
    ),
    "crew_not_drawn": Code(
        409,
        "18",
        "「{subject}」已经有一个不是抽出来的检查组，不能下达。请股室负责人作废这次匹配，重新来过。",
        "{subject} has a crew already that was not drawn; the unit head voids this attempt, and a new one follows.",
    ),
    "crew_stale": Code(
        409,
        "19",
        "「{name}」的执法证在匹配这一天已经无效，请作废这次匹配，重新来过。",
        "The certificate of {name} is not valid on the day of the match; void this attempt and begin again.",
    ),
    "crew_unfit_now": Code(
        409,
        "20",
        "「{name}」现在不能去「{subject}」，请先在这一户的页面申请更换，再下达。",
        "{name} cannot go to {subject} any more; ask for a replacement on the visit's page, then send the crews.",
    ),
    "crew_way_decided": Code(409, "18", "这件申请已经有答复了。", "This request has been answered already."),
    "crew_not_member": Code(409, "20", "他现在不在这户的检查组里。", "This officer is not in the crew now."),
    "crew_asked_already": Code(
        409, "20", "更换这名人员的申请已经在等答复。", "A request to replace this officer waits for its answer already."
    ),
    "crew_visit_over": Code(
        409, "20", "这户的检查已经定稿或作废，不能再换人。", "The visit is final or void; its crew does not change."
    ),
    "crew_no_substitute": Code(
        409,
        "20",
        "按顺序已经没有合适的人可以替补。请写明理由指定一人，或申请合并邻近单位的人员。",
        "Nobody is left by lot who could come. Name somebody with a reason, or ask for a neighbour's officers.",
    ),
    "crew_substitute_unfit": Code(
        409,
        "20",
        "「{name}」不能替补：证件、回避、请假或者时间不合适。",
        "{name} cannot come: certificate, recusal, leave or another visit stands against it.",
    ),
    "recusal_there": Code(
        409, "20", "这名人员的回避已经登记在案。", "A recusal of this officer is on record for this visit already."
    ),
    "recusal_decided": Code(409, "20", "这件回避申请已经有决定了。", "This request has been decided already."),
    # --- the library of subjects -----------------------------------------------------------------------------------
    "subject_used": Code(
        409,
        "8",
        "这户抽过或查过，且只在本单位名录里，不能移出；不再经营的请改状态。",
        "It was drawn or inspected and is in no other library: it stays. Change its status if it is gone.",
    ),
    # --- the log: checkpoints, proofs, witnesses, erasure ----------------------------------------------------------
    "log_number": Code(
        400,
        None,
        "参数 {name} 要写一个从 {least} 到 {most} 的整数，现在写的是“{given}”。",
        "The parameter '{name}' is '{given}'; it has to be a whole number from {least} to {most}.",
    ),
    "log_none": Code(404, None, "没有条数为 {size} 的检查点。", "There is no checkpoint of {size} entries."),
    "note_bad": Code(400, None, "这不是检查点的文本（{why}）。", "This is not the text of a checkpoint: {why}."),
    "cosignature_of_none": Code(
        409,
        None,
        "本日志没有签发过这样一个条数为 {size} 的检查点，因此不收这个见证签名。",
        "This log never signed such a checkpoint of {size} entries, so no cosignature of it is taken.",
    ),
    "cosignature_bad": Code(
        400,
        None,
        "见证签名与登记的见证公钥（{name}）或检查点的文本不符。",
        "The cosignature fits neither the key of the witness '{name}' nor the text of the checkpoint.",
    ),
    "witness_unknown": Code(
        403,
        None,
        "没有登记名为“{name}”的见证人；请先把见证公钥交给本局登记。",
        "No witness is called '{name}' here; hand your public key to the bureau first.",
    ),
    "witness_known": Code(409, None, "名为“{name}”的见证人已经登记过。", "A witness called '{name}' is here already."),
    "entry_without_detail": Code(
        409, None, "这条留痕没有附带内容，或已经清除。", "This entry has no detail, or it was erased already."
    ),
    "entry_vouches": Code(
        409,
        None,
        "这条留痕为一条现场记录作证，记录在，它就不能清除。",
        "This entry vouches for a record from the field: it can't be erased while that record is kept.",
    ),
    # --- media: uploads and pictures -----------------------------------------------------------------------------
    "tus_version": Code(412, None, "仅支持 tus 1.0.0 上传协议。", "Uploads speak tus 1.0.0 here."),
    "not_offset_stream": Code(
        415,
        None,
        "上传内容类型应为 application/offset+octet-stream。",
        "An upload's part is application/offset+octet-stream.",
    ),
    "offset_mismatch": Code(
        409, None, "上传位置应为 {offset}，请从该处继续。", "The upload is at {offset}; go on from there."
    ),
    "upload_busy": Code(
        423, None, "另一请求正在写入此文件，请稍后再试。", "Another request is writing this file; try again."
    ),
    "upload_gone": Code(410, None, "此次上传已作废，请重新上传。", "This upload is no more; please start a new one."),
    "checksum_mismatch": Code(
        460, None, "数据在传输中损坏，本段未保存。", "What came differs from its checksum; this part was not kept."
    ),
    "hash_mismatch": Code(
        460, None, "文件内容与其摘要不符，未采用。", "The bytes differ from the digest that they were announced with."
    ),
    "bad_rendition": Code(
        415,
        None,
        "缩略图须为 JPEG、PNG 或 WebP 图片，且大小适当。",
        "A rendition is a JPEG, PNG or WebP of moderate size.",
    ),
    "too_slow": Code(408, None, "等待数据超时，请重试。", "No data came for too long; please try again."),
    "truncated": Code(400, None, "上传内容不完整，本次未保存。", "The body ends too early; nothing of it was taken."),
    "no_picture": Code(404, None, "此文件没有可显示的图片。", "There is no picture to show of this file."),
    "bad_range": Code(416, None, "所请求的片段超出文件范围。", "The part that is asked for lies outside the file."),
    # --- objections to published results -------------------------------------------------------------------------
    "objection_unknown": Code(
        404, None, "没有这个查询码，请对照回执再输入一次。", "There is no such code: compare it with the receipt."
    ),
    "objection_state": Code(
        409,
        "26",
        "这件异议现在不能这样办，请刷新后再看。",
        "This can't be done with the objection as it stands: load it again.",
    ),
    "objection_own_crew": Code(
        403,
        "26",
        "你参加过原检查，异议由没有参加的人办理。",
        "You were of the first crew: somebody who wasn't handles the objection.",
    ),
    "objection_no_identity": Code(
        409,
        "26",
        "没有身份证明材料，不能受理。请让提出人补交，或者说明理由不予受理。",
        "Nothing proves who objects: ask for the papers, or refuse with the reason.",
    ),
    "objection_visit_open": Code(409, "26", "现场复核还没有定稿。", "The recheck on the spot isn't final yet."),
    "objection_correction_first": Code(
        409,
        "26",
        "异议成立，先申请更正公示的结果，再反馈。",
        "The result was found wrong: ask for its correction before the answer.",
    ),
    "objection_not_wrong": Code(
        409,
        "26",
        "复核没有认定结果有误，不能据此更正。",
        "The recheck hasn't found the result wrong, so nothing is corrected.",
    ),
    # --- documents of a visit ------------------------------------------------------------------------------------
    "document_not_begun": Code(
        409, "23", "这次检查还没有开始或已作废，不能制作文书。", "The visit isn't begun, or void: it has no documents."
    ),
    "document_not_final": Code(
        409,
        "23",
        "检查记录还没有定稿。请等全体检查人员签字定稿后再制作。",
        "The record isn't final. Documents are made of what every member of the crew has signed.",
    ),
    "document_nothing_ordered": Code(
        409,
        "24",
        "记录里没有责令改正的问题（当场改正或限期改正），不能制作责令限期整改指令书。",
        "The record holds no finding that is ordered to be corrected, on the spot or by a day.",
    ),
    "document_due_missing": Code(
        409,
        "24",
        "有限期改正的问题没有写改正期限。请退回检查组补上。",
        "A finding is ordered to be corrected by a day, and no day is written. Return the record to the crew.",
    ),
    "document_nothing_major": Code(
        409,
        "24",
        "记录里没有重大隐患，不需要现场处理措施决定。",
        "The record holds no major finding: there is nothing to decide on site.",
    ),
    "document_no_order": Code(
        409,
        "24",
        "这次检查不是整改复查，没有可以复查的整改指令。",
        "This visit looks after no order: there is nothing to recheck.",
    ),
    "document_nothing_refused": Code(
        409,
        "23",
        "记录里没有拒绝签字，也没有拒绝检查的情形。",
        "The record holds neither a refused signature nor a refused inspection.",
    ),
    "document_exists": Code(
        409,
        None,
        "已有一份有效的同类文书（{no}）。文书不能改，只能另制一份替代它，并写明原因。",
        "There is one already ({no}). A document is never edited: another one replaces it, with a reason.",
    ),
    "document_replaced": Code(
        409, None, "这份文书已被替代，请以新的一份为准。", "That document was replaced by a newer one."
    ),
    "glyphs_missing": Code(
        422,
        None,
        "有 {n} 个字符字库里没有，印不出来：{found}。可以勾选用编号代替，或换装字库。",
        "The fonts lack {n} characters: {found}. Have their numbers printed in their place, or install fonts.",
    ),
    "fonts_missing": Code(
        503,
        None,
        "还没有中文字体，正在取。请一分钟后再试，或请管理员运行 make fonts。",
        "There are no Chinese fonts yet; they are being fetched. Try again in a minute, or run 'make fonts'.",
    ),
    "paper_failed": Code(
        503,
        None,
        "文书没有排印出来，编号没有占用。请再试一次；再次失败请告诉管理员。",
        "The document could not be printed, and no number was taken. Please try again, then tell the administrator.",
    ),
    "recheck_open": Code(409, None, "这份指令已安排了复查，还没有结束。", "A recheck of this order is under way."),
    "recheck_not_needed": Code(
        409,
        None,
        "这份指令已被替代、已经复查结束，或没有限期改正的问题。",
        "That order was replaced or closed, or it sets no day by which anything is to be corrected.",
    ),
}

TITLES: dict[int, tuple[str, str]] = {
    400: ("请求有误", "Bad request"),
    401: ("需要登录", "Sign-in needed"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("方法不被接受", "Method not allowed"),
    408: ("等待超时", "Time-out"),
    409: ("与现状不符", "Does not fit the present state"),
    410: ("已不存在", "Gone"),
    412: ("前提不成立", "Precondition failed"),
    413: ("内容过大", "Too large"),
    415: ("类型不支持", "Unsupported type"),
    416: ("范围无效", "Range not satisfiable"),
    422: ("内容不符合要求", "Not acceptable as it is"),
    423: ("正在被占用", "Locked"),
    426: ("需要更新应用", "Update needed"),
    429: ("请稍候", "Slow down"),
    460: ("校验不符", "Checksum mismatch"),
    500: ("服务器出错", "Server error"),
    503: ("暂不可用", "Unavailable"),
    507: ("存储空间不足", "Storage full"),
}


class Problem(Exception):
    """What went wrong, by its code; `detail` fills the sentence, `headers` go with the answer.

    `members` stand in the document beside the usual ones, for programs that must not read sentences.
    """

    def __init__(
        self,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
        **detail: object,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @property
    def status(self) -> int:
        """The HTTP status of this problem."""
        return CODES[self.code].status

    @property
    def article(self) -> str | None:
        """The article of the detailed rules that asks for it."""
        said = self.members.get("article", CODES[self.code].article)
        return None if said is None else str(said)

    def sentence(self, language: str = "zh") -> str:
        """The sentence that people read, in `zh` or `en`."""
        line = CODES[self.code]
        return (line.en if language == "en" else line.zh).format_map(_Blank(self.detail))

    def document(self, language: str = "zh") -> dict[str, object]:
        """The members of the RFC 9457 answer."""
        line = CODES[self.code]
        titles = TITLES.get(line.status, TITLES[400])
        document: dict[str, object] = {
            "type": f"urn:suijian:problem:{self.code}",
            "title": titles[1] if language == "en" else titles[0],
            "status": line.status,
            "detail": self.sentence(language),
            "code": self.code,
        }
        if line.article is not None:
            document["article"] = line.article
        return {**self.members, **document}


class _Blank(dict[str, object]):
    """Fills a placeholder that nobody filled with a dash, so that an error never fails on its own sentence."""

    def __missing__(self, key: str) -> str:
        return "—"


def language_of(accept_language: str | None) -> str:
    """`en` where the header prefers English to Chinese, else `zh`: Chinese is the default."""
    best, best_weight = "zh", 0.0
    for part in (accept_language or "")[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(parameter)
        if language in ("zh", "en") and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
