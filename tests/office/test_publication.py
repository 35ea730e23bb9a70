"""A result on its way to the public over HTTP: what is in its way, what everybody reads, and how it is corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from tests.dispatching import database_of
from tests.running import Running
from tests.scene import PASSWORD
from tests.sync.test_exchange import Group

HTML = {"Accept": "text/html"}


class Bureau:
    """A final visit of the small bureau, and its office asking."""

    def __init__(self, server: Running) -> None:
        self.server, self.group = server, Group(server)
        self.group.record()
        self.group.sign()
        self.group.propose()
        self.group.settle()
        self.id = f"{self.group.visit}.t1"
        self.db = database_of(server)
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """Lets go of the database and the connections."""
        for client in self._clients.values():
            client.close()
        self.db.close()

    def client(self, who: str) -> httpx.Client:
        """Somebody who signed in just now."""
        if who not in self._clients:
            self._clients[who] = self.server.signed_in(who)
        return self._clients[who]

    def post(self, who: str, path: str, **form: str) -> httpx.Response:
        """A form, answered to a program: 303, or the problem."""
        data = {"proof": PASSWORD} | form
        return self.client(who).post(f"/office/publication{path}", data=data)

    def approve(self) -> None:
        """The clerk's word on the round."""
        done = self.client("clerk").post(
            f"/office/visits/{self.group.visit}/approve", data={"round": "1"}, headers=HTML
        )
        assert done.status_code in (200, 303)

    def published(self) -> str:
        """The number of the result, approved and published."""
        self.approve()
        assert self.post("clerk", f"/{self.id}/publish").status_code == 303
        return str(self.row()["no"])

    def row(self) -> dict[str, Any]:
        """What the database has of the published result."""
        query = sa.select(tables.publication).where(tables.publication.c.visit_id == self.group.visit)
        with self.db.read() as conn:
            return dict(conn.execute(query).mappings().one())

    def public(self, path: str) -> httpx.Response:
        """What a stranger reads."""
        return httpx.get(self.server.url + path, headers={"Accept-Language": "zh-CN", **HTML})

    def correction(self, no: str) -> str:
        """A correction that was asked for."""
        form = {"type:hazchem-storage": "no_relevant_activity", "main": "no_relevant_activity"}
        asked = self.post("clerk", f"/results/{no}/corrections", **form, reason="复核认定未开展", source="复核意见")
        assert asked.status_code == 303
        with self.db.read() as conn:
            return str(conn.scalar(sa.select(tables.correction.c.id).where(tables.correction.c.state == "asked")))

    def seen(self, correction: str) -> str:
        """The digest that the principal is shown."""
        page = self.client("principal").get(f"/office/publication/corrections/{correction}", headers=HTML).text
        found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
        assert found is not None
        return found[1]


@pytest.fixture
def bureau(any_server: Running) -> Iterator[Bureau]:
    made = Bureau(any_server)
    yield made
    made.close()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_nothing_is_published_before_it_is_approved_nor_twice_nor_by_another_unit(bureau: Bureau) -> None:
    assert code(bureau.post("clerk", f"/{bureau.id}/publish")) == (409, "not_approved")
    bureau.approve()
    assert code(bureau.post("clerk2", f"/{bureau.id}/publish")) == (404, "not_found")
    assert code(bureau.post("head", f"/{bureau.id}/publish")) == (403, "forbidden")
    assert bureau.post("clerk", f"/{bureau.id}/publish").status_code == 303
    assert code(bureau.post("clerk", f"/{bureau.id}/publish")) == (409, "already_published")


def test_everybody_reads_the_result_and_nothing_of_the_people_of_the_subject(bureau: Bureau) -> None:
    no = bureau.published()
    page, listed = bureau.public(f"/results/{no}"), bureau.public("/results?q=溢彩漆料")
    assert page.status_code == 200 and "宛城区溢彩漆料经营部" in page.text and "未发现问题" in page.text
    assert no in listed.text and "/results/" + no in bureau.public("/results/feed.atom").text
    data = bureau.public(f"/results/{no}/v1.json").json()
    assert set(data) == {
        "t", "no", "version", "subject", "uscc", "task_no", "task", "items", "main", "unit", "visited_on", "due_on",
        "published_on", "officers", "corrected", "record", "prev",
    }  # fmt: skip
    assert "某路1号" not in page.text + listed.text
    assert bureau.public("/results?q=没有这一家").status_code == 200
    assert {bureau.public(f"/results/{no}/{name}.json").status_code for name in ("v0", "v01", "v2", "v-1")} == {404}


def test_a_correction_is_a_new_version_that_the_principal_signs_as_he_saw_it(bureau: Bureau) -> None:
    no = bureau.published()
    before = bureau.public(f"/results/{no}/v1.json").content
    correction = bureau.correction(no)
    assert code(bureau.post("clerk", f"/corrections/{correction}/sign", seen="0" * 64)) == (403, "forbidden")
    assert code(bureau.post("principal", f"/corrections/{correction}/sign", seen="0" * 64)) == (409, "correction_moved")
    signed = bureau.post("principal", f"/corrections/{correction}/sign", seen=bureau.seen(correction))
    assert signed.status_code == 303
    after = bureau.public(f"/results/{no}/v2.json").json()
    assert (after["main"], after["version"], after["corrected"]["from"]) == (
        "no_relevant_activity", 2, "no_problem_found",
    )  # fmt: skip
    assert bureau.public(f"/results/{no}/v1.json").content == before
    assert "已更正" in bureau.public(f"/results/{no}").text
    assert code(bureau.post("principal", f"/corrections/{correction}/refuse", answer="x")) == (
        409,
        "correction_decided",
    )


def test_a_result_is_kept_back_only_on_a_ground_and_by_the_principal_until_it_is_lifted(bureau: Bureau) -> None:
    bureau.approve()
    assert bureau.post("clerk", f"/{bureau.id}/withhold", ground="dislike").status_code == 422
    form = {"ground": "trade_secret", "basis": "条例第十五条", "reason": "工艺参数", "review_on": "2099-01-05"}
    assert bureau.post("clerk", f"/{bureau.id}/withhold", **form).status_code == 303
    assert code(bureau.post("clerk", f"/{bureau.id}/publish")) == (409, "withheld")
    with bureau.db.read() as conn:
        asked = conn.scalar(
            sa.select(tables.withholding.c.id).where(tables.withholding.c.visit_id == bureau.group.visit)
        )
        name = conn.scalar(sa.select(tables.visit.c.subject_name).where(tables.visit.c.id == bureau.group.visit))
    with bureau.server.signed_in("principal") as principal:
        for page in ("/office/publication?show=withheld", "/office/"):
            assert f">{name}<" in principal.get(page, headers={"Accept": "text/html"}).text, page
    assert bureau.post("principal", f"/withholdings/{asked}", answer="approved", reason="同意").status_code == 303
    assert bureau.post("principal", f"/withholdings/{asked}", answer="lifted", reason="已脱密").status_code == 303
    assert bureau.post("clerk", f"/{bureau.id}/publish").status_code == 303


def test_what_is_published_can_be_neither_changed_nor_deleted_in_the_database(bureau: Bureau) -> None:
    bureau.published()
    table = tables.publication_version
    with bureau.db.write() as conn:
        for statement in (sa.update(table).values(by="nobody"), sa.delete(table), sa.delete(tables.publication)):
            with pytest.raises(sa.exc.DatabaseError, match="append-only"), conn.begin_nested():
                conn.execute(statement)
