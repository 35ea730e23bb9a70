"""A draw by its pages, as a clerk and the witnesses go through it: list, commitment, numbers, draw, screen, slip."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import segno
import sqlalchemy as sa

from server.demo.district import LEGAL
from server.domain.public_draw import short_code
from server.routes.rooms.draw_forms import now_in_beijing
from server.store import draws as store
from server.store import excuses, tables
from server.store.draws import File
from tests.office.district import HTML, Office, demo_server
from tests.office.test_hostile_forms import NAUGHTY
from tests.office.walks import draws as walks

JSON = {"Accept": "application/json"}
PDF = b"%PDF-1.7\n%synthetic\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("draw-pages") / "data"))
    yield found
    found.close()


def page(office: Office, path: str, who: str = "clerk") -> str:
    answer = office.client(who).get(f"/office/draws{path}", headers=HTML)
    assert answer.status_code == 200, answer.text[:500]
    return html.unescape(answer.text)


def give(office: Office, draw_id: str, files: Any = None, **more: Any) -> httpx.Response:
    at = walks.draw_of(office, draw_id).committed_at
    form = {"k": "lottery/1", "value": walks.BALLS, "at": at, "by": "见证人甲", "link": ""} | more
    return walks.post(office, "clerk", f"/{draw_id}/contribute", files, **form)


def files_of(office: Office, draw_id: str) -> list[File]:
    with office.db.read() as conn:
        return store.files_of(conn, draw_id)


def names_of(office: Office, codes: list[str]) -> list[str]:
    subject = tables.subject.c
    with office.db.read() as conn:
        return list(conn.scalars(sa.select(subject.name).where(subject.uscc.in_(codes))))


# --- before -----------------------------------------------------------------------------------------------------------


def test_the_list_is_seen_before_it_is_frozen_with_every_exclusion_and_its_reason(office: Office) -> None:
    with office.db.read() as conn:
        code = store.frozen_of(conn, walks.committed(office)).frame.partition("\t")[0]
    walks.post(office, "clerk", "/exclusions", **(walks.exclusion_form(office) | {"code": code}))
    request = re.search(r'action="/office/draws/exclusions/([^"]+)"', page(office, "/exclusions", "head"))
    assert request is not None
    walks.post(office, "head", f"/exclusions/{request[1]}", decision="approved")
    task_id = walks.approved(office)
    shown = page(office, f"/tasks/{task_id}")
    assert "另有案件在办：1 户" in shown
    assert code in shown and "宛卧应急立〔2026〕" in shown
    assert code not in page(office, f"/tasks/{task_id}?show=in")
    assert code in page(office, f"/tasks/{task_id}?show=all&q={code[4:].lower()}")


def test_sources_that_can_be_guessed_are_refused_and_the_page_says_what_they_come_to(office: Office) -> None:
    task_id = walks.approved(office)
    form = walks.source_form() | {"source.0.kind": "", "source.0.what": ""}
    answer = walks.post(office, "clerk", f"/tasks/{task_id}", **form)
    assert answer.status_code == 422
    assert "合计 25 比特" in answer.text and "见证人甲 掷骰" in answer.text
    with office.db.read() as conn:
        assert store.draws_of_task(conn, task_id) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"due": "下周二"}, "due"),
        ({"due": ""}, "due"),
        ({"source.0.what": ""}, "source.0.what"),
        ({"source.1.n": ""}, "source.1.n"),
        ({"source.1.n": "1e3"}, "source.1.n"),
        ({"source.0.kind": "coin"}, "source.0.kind"),
    ],
)
def test_what_is_wrong_with_a_source_stands_beside_its_field(
    office: Office, changed: dict[str, str], field: str
) -> None:
    task_id = walks.approved(office)
    answer = walks.post(office, "clerk", f"/tasks/{task_id}", **(walks.source_form() | changed))
    assert answer.status_code == 422
    assert f'id="f-{field}-fault"' in answer.text


def test_a_deadline_that_has_passed_is_refused(office: Office) -> None:
    task_id = walks.approved(office)
    past = now_in_beijing(datetime.now(UTC) - timedelta(days=1))
    assert walks.post(office, "clerk", f"/tasks/{task_id}", **(walks.source_form() | {"due": past})).status_code >= 400


def test_a_task_that_is_drawn_already_has_no_second_commitment(office: Office) -> None:
    draw = walks.draw_of(office, walks.committed(office))
    assert "已经有一次抽取" in page(office, f"/tasks/{draw.task_id}")
    assert walks.post(office, "clerk", f"/tasks/{draw.task_id}", **walks.source_form()).status_code >= 400


# --- numbers from outside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "mime"), [("公告.png", walks.PHOTO, "image/png"), ("公告.pdf", PDF, "application/pdf")]
)
def test_evidence_is_given_back_as_it_came_and_only_as_a_download(
    office: Office, name: str, body: bytes, mime: str
) -> None:
    draw_id = walks.committed(office)
    assert give(office, draw_id, {"evidence": (name, body, "text/html")}).status_code == 303
    sha256 = hashlib.sha256(body).hexdigest()
    assert f"/evidence/{sha256}" in page(office, f"/{draw_id}")
    answer = office.client("clerk").get(f"/office/draws/{draw_id}/evidence/{sha256}")
    assert (answer.content, answer.headers["content-type"]) == (body, mime)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert office.client("clerk").get(f"/office/draws/{draw_id}/evidence/{'0' * 64}").status_code == 404


@pytest.mark.parametrize("body", [b"<html><script>1</script>", b"MZ", b"", b"GIF89a"])
def test_a_file_that_is_neither_photo_nor_document_is_refused_and_what_was_typed_stays(
    office: Office, body: bytes
) -> None:
    draw_id = walks.committed(office)
    answer = give(office, draw_id, {"evidence": ("开奖.png", body, "image/png")}, by="见证人乙")
    assert answer.status_code == 422
    assert 'id="f-evidence-fault"' in answer.text and walks.BALLS in answer.text and "见证人乙" in answer.text
    assert walks.draw_of(office, draw_id).contributions == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"link": ""},
        {"link": "javascript:alert(1)"},
        {"at": "2020-01-01T00:00"},
        {"at": "2999-01-01T00:00"},
        {"at": "昨天"},
        {"by": ""},
        {"value": "01 02 03"},
        {"value": ""},
        {"k": "dice/1"},
        {"k": "nothing"},
    ],
    ids=str,
)
def test_a_number_without_evidence_too_early_or_that_the_source_cannot_bring_is_refused(
    office: Office, changed: dict[str, str]
) -> None:
    draw_id = walks.committed(office)
    assert 400 <= give(office, draw_id, **({"link": walks.LINK} | changed)).status_code < 500
    assert walks.draw_of(office, draw_id).contributions == ()


def test_whatever_is_typed_into_the_form_of_a_number_is_no_fault_and_never_markup(office: Office) -> None:
    draw_id = walks.committed(office)
    for text in NAUGHTY.values():
        answer = give(office, draw_id, value=text, at=text, by=text, link=text)
        assert 400 <= answer.status_code < 500
        assert "<script>window" not in answer.text and "<img src=x" not in answer.text
    assert walks.draw_of(office, draw_id).contributions == ()


# --- the draw, the screen, the slip -----------------------------------------------------------------------------------


def test_a_draw_asks_for_the_password_again(office: Office) -> None:
    draw_id = walks.contributed(office)
    with office.running.signed_in("clerk") as client:
        with office.db.write() as conn:
            conn.execute(sa.update(tables.session).values(proved_at="2026-01-01T00:00:00.000Z"))
        refused = client.post(f"/office/draws/{draw_id}/run", data={}, headers=HTML)
        assert (refused.status_code, walks.draw_of(office, draw_id).state) == (422, "contributed")
        assert 'id="f-proof"' in client.get(f"/office/draws/{draw_id}", headers=HTML).text
        client.post(f"/office/draws/{draw_id}/run", data={"proof": "suijian-demo"}, headers=HTML)
    assert walks.draw_of(office, draw_id).state == "drawn"


def test_the_big_screen_shows_the_names_and_the_seeds_digest_and_keeps_the_seed(office: Office) -> None:
    draw_id = walks.drawn(office)
    draw, shown = walks.draw_of(office, draw_id), page(office, f"/{draw_id}/hall")
    assert all(name in shown for name in names_of(office, draw.effective))
    assert short_code(hashlib.sha256(str(draw.seed).encode()).hexdigest()) in shown
    assert short_code(draw.commit) in shown and "2 个程序算得相同" in shown and "封存中" in shown
    assert str(draw.seed) not in shown and str(draw.secret) not in shown
    assert "<b>12</b><span>户抽中" in shown
    assert 'hx-trigger="every 6s"' in shown and '<noscript><meta http-equiv="refresh"' in shown


def test_before_the_draw_the_big_screen_names_nobody_and_says_what_is_awaited(office: Office) -> None:
    draw_id = walks.committed(office)
    shown = page(office, f"/{draw_id}/hall")
    with office.db.read() as conn:
        frame = store.frozen_of(conn, draw_id).frame
    codes = [line.partition("\t")[0] for line in frame.splitlines()]
    assert not any(name in shown for name in names_of(office, codes))
    assert "户候选" in shown and "福利彩票快乐8 第 2026312 期" in shown and "还没有，" in shown


def test_a_long_list_of_names_takes_turns_on_the_big_screen(office: Office) -> None:
    draw = walks.draw_of(office, walks.drawn(office, n=30))
    shown = page(office, f"/{draw.id}/hall")
    assert "共 2 屏" in shown
    assert 0 < sum(name in shown for name in names_of(office, draw.effective)) <= 22


def test_screen_and_slip_carry_a_qr_code_of_the_commitment_and_then_of_the_files_digest(office: Office) -> None:
    waiting, drawn = walks.committed(office), walks.drawn(office)
    (file,) = files_of(office, drawn)
    digests = {waiting: walks.draw_of(office, waiting).commit, drawn: file.sha256}
    for draw_id, digest in digests.items():
        address = re.search(r"<code>(http[^<]+)</code>", page(office, f"/{draw_id}/slip"))
        assert address is not None and address[1].endswith(f"/draws/{walks.draw_of(office, draw_id).no}")
        for name in ("hall", "slip"):
            shown = page(office, f"/{draw_id}/{name}")
            code = segno.make(f"{address[1]}#{digest}", error="l", micro=False).svg_data_uri(scale=4, border=1)
            assert unquote(code) in unquote(shown)
            assert short_code(digest) in shown
        assert digest in page(office, f"/{draw_id}/slip")


def test_the_file_that_witnesses_take_home_has_the_digest_on_the_slip(office: Office) -> None:
    draw_id = walks.drawn(office)
    answer = office.client("clerk").get(f"/office/draws/{draw_id}/files/1")
    assert hashlib.sha256(answer.content).hexdigest() in page(office, f"/{draw_id}/slip")
    assert office.client("clerk").get(f"/office/draws/{draw_id}/files/2").status_code == 404


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_a_void_needs_the_tick_and_a_reason_and_is_said_on_every_page(office: Office) -> None:
    draw_id = walks.contributed(office)
    for form in ({"reason": "见证人未到场"}, {"sure": "yes"}, {"sure": "yes", "reason": "  "}):
        assert walks.post(office, "head", f"/{draw_id}/void", **form).status_code >= 400
    assert walks.draw_of(office, draw_id).state == "contributed"
    assert walks.post(office, "head", f"/{draw_id}/void", reason="见证人未到场", sure="yes").status_code == 303
    for path in (f"/{draw_id}", f"/{draw_id}/hall"):
        assert "见证人未到场" in page(office, path)
    task_id = walks.draw_of(office, draw_id).task_id
    again = walks.post(office, "clerk", f"/tasks/{task_id}", **walks.source_form())
    assert again.status_code == 303
    assert "第 2 次抽取" in page(office, again.headers["location"].removeprefix("/office/draws"))


def test_who_was_excused_stays_on_the_page_struck_out_and_the_next_is_named(office: Office) -> None:
    draw_id = walks.drawn(office)
    code = walks.suspended(office, draw_id)
    assert walks.post(office, "clerk", f"/{draw_id}/excuse", code=code, reason="冻结后停业").status_code == 303
    with office.db.read() as conn:
        (asked,) = excuses.of_draw(conn, draw_id)
    own = walks.post(office, "clerk", f"/excuses/{asked.id}", decision="approved")
    assert own.status_code == 403
    assert "确认免查，下一位递补" in office.client("head").get(f"/office/draws/{draw_id}", headers=HTML).text
    assert walks.post(office, "head", f"/excuses/{asked.id}", decision="approved").status_code == 303
    draw, shown = walks.draw_of(office, draw_id), page(office, f"/{draw_id}")
    assert code in shown and "免查：已停业（停业告知〔2026〕3 号，2026-11-20）：冻结后停业" in shown
    assert str(draw.excused[0].next) in shown and "递补" in shown
    assert re.search(rf"struck[^<]*\">{names_of(office, [code])[0]}", shown)


@pytest.mark.rule("R16.2", "http")
def test_an_excuse_is_asked_by_one_told_to_the_head_and_decided_by_him_once(office: Office) -> None:
    draw_id = walks.drawn(office)
    alive = walks.draw_of(office, draw_id).effective[-1]

    def refused(who: str, path: str, **form: str) -> tuple[int, str, str | None]:
        answer = office.client(who).post(f"/office/draws{path}", data=form, headers=JSON)
        return answer.status_code, answer.json()["code"], answer.json().get("article")

    ask = f"/{draw_id}/excuse"
    assert refused("clerk", ask, code=alive, reason="搬走了") == (409, "draw_alive", "16")
    code = walks.suspended(office, draw_id)
    assert refused("legal", ask, code=code, reason="停业") == (403, "other_unit", "3")
    assert walks.post(office, "clerk", ask, code=code, reason="冻结后停业").status_code == 303
    assert refused("clerk", ask, code=code, reason="冻结后停业") == (409, "draw_excuse_asked", "16")
    with office.db.read() as conn:
        (asked,) = excuses.of_draw(conn, draw_id)
    assert waits(office, code) == {"head"}
    decide = f"/excuses/{asked.id}"
    assert refused("clerk", decide, decision="approved") == (403, "forbidden", None)
    assert refused("head-ic", decide, decision="approved")[:2] == (404, "not_found")
    assert refused("head", decide, decision="refused", answer="") == (422, "invalid", "16")
    assert walks.post(office, "head", decide, decision="approved").status_code == 303
    assert refused("head", decide, decision="approved") == (409, "draw_excuse_decided", "16")
    assert waits(office, code) == set()
    (excused,) = walks.draw_of(office, draw_id).excused
    assert (excused.code, excused.next in walks.draw_of(office, draw_id).effective) == (code, True)


def waits(office: Office, code: str) -> set[str]:
    """Whose first page has the request to excuse a subject."""
    asked = {"clerk", "head", "clerk-ic", "head-ic", "legal", "principal", "steering", "auditor"}
    pages = {who: office.client(who).get("/office/", headers=HTML).text for who in asked}
    return {who for who, page in pages.items() if "决定免查申请" in page and f"#w-{code}" in page}


def test_an_excuse_from_a_draw_over_all_units_waits_for_the_principal(office: Office) -> None:
    with office.db.read() as conn:
        asked = excuses.one(conn, walks.excuse(office, LEGAL))
    assert asked is not None
    assert waits(office, asked.code) == {"principal"}
    assert walks.post(office, "principal", f"/excuses/{asked.id}", decision="approved").status_code == 303
    assert waits(office, asked.code) == set()


def test_a_number_in_a_reason_is_shown_beside_the_field_in_which_it_was_typed(office: Office) -> None:
    draw_id, request = walks.drawn(office), walks.exclusion(office)
    asked = walks.excuse(office)
    code, said = walks.suspended(office, draw_id), "已停业，找 14000000001"
    for who, path, field, form in (
        ("clerk", f"/{draw_id}/excuse", "reason", {"code": code, "reason": said}),
        ("head", f"/{draw_id}/void", "reason", {"sure": "yes", "asked": "void", "reason": said}),
        ("head", f"/exclusions/{request}", "answer", {"decision": "approved", "answer": said}),
        ("head", f"/excuses/{asked}", "answer", {"decision": "approved", "answer": said}),
    ):
        refused = walks.post(office, who, path, **form)
        assert refused.status_code == 422
        beside = rf'<textarea id="f-{field}"[^>]*aria-describedby="[^"]*f-{field}-fault"[^>]*>{said}</textarea>\s*<div'
        assert len(re.findall(beside, refused.text)) == 1
        assert refused.text.count(f'href="#f-{field}"') == refused.text.count(f'id="f-{field}-fault"') == 1
    assert walks.draw_of(office, draw_id).state == "drawn"


def test_a_refusal_of_an_exclusion_needs_a_reason_and_stays_in_the_register(office: Office) -> None:
    request = walks.exclusion(office)
    assert walks.post(office, "head", f"/exclusions/{request}", decision="refused").status_code >= 400
    answer = walks.post(office, "head", f"/exclusions/{request}", decision="refused", answer="没有立案")
    assert answer.status_code == 303
    assert "答复：没有立案" in page(office, "/exclusions")
