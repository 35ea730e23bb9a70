"""Twenty planted phones and ID numbers are only where they may be: pages, files, database, logs, errors, exports."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import httpx
import pytest
import sqlalchemy as sa
from litestar.routes import HTTPRoute
from stdnum.cn import ric

from server.app import create_app
from server.settings import Settings
from server.store import tables
from tests import databases
from tests.imports.bringing import applied, brought, csv_of, settled
from tests.imports.planted import good_row
from tests.leaks import Leak, Scanner
from tests.office import people
from tests.office.district import HTML, Office, demo_server
from tests.office.samples import SAMPLES

JSON = {"Accept": "application/json"}


def _phone(n: int) -> str:
    return f"1400000{8100 + 7 * n}"


def _id(n: int) -> str:
    body = f"411303{1900 + n}{1 + n:02d}{10 + n:02d}{37 + n:02d}2"
    return body + str(ric.calc_check_digit(body + "0"))


OFFICER_PHONES, OFFICER_IDS = [_phone(n) for n in range(4)], [_id(n) for n in range(4)]
EXPERT_PHONES, EXPERT_IDS = [_phone(n) for n in (4, 5)], [_id(n) for n in (4, 5)]
SUBJECT_PHONES = [_phone(n) for n in range(6, 10)]
LOST_PHONES, LOST_IDS = [_phone(n) for n in (10, 11)], [_id(n) for n in (6, 7)]
"""Typed only where they don't belong."""

OF_PEOPLE = OFFICER_PHONES + OFFICER_IDS + EXPERT_PHONES + EXPERT_IDS + LOST_PHONES + LOST_IDS
PLANTED = OF_PEOPLE + SUBJECT_PHONES

OFFICER_COLUMNS = ("姓名", "性别", "手机号", "身份证号", "执法证号", "有效期起", "有效期止", "专业领域", "所属股室")
EXPERT_COLUMNS = ("姓名", "性别", "手机号", "身份证号", "工作单位", "职称", "专业领域", "所属股室")
ROLES = ("clerk", "head", "clerk-ic", "head-ic", "legal", "principal", "steering", "auditor", "admin")
WHO_MAY_SEE_SUBJECT_PHONES = ("clerk", "head")
"""Clerk and head of the unit whose library the planted subjects are in, and nobody else in the office."""


class Planting:
    """A demo district in which the values were entered by every way that there is; and what was answered meanwhile."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.clerk = office.client("clerk")
        self.scanner = Scanner(PLANTED)
        self.errors: list[httpx.Response] = []
        self.ids: dict[str, list[str]] = {}

    def plant(self) -> None:
        """Enters everything."""
        self._by_forms()
        self._by_imports()
        self._in_wrong_places()

    def _by_forms(self) -> None:
        self.ids["officer_id"] = [
            people.made(self.office, "/new", people.officer(phone=phone, id_number=number))
            for phone, number in zip(OFFICER_PHONES[:2], OFFICER_IDS[:2], strict=True)
        ]
        self.ids["expert_id"] = [
            people.made(self.office, "/experts/new", people.expert(phone=EXPERT_PHONES[0], id_number=EXPERT_IDS[0]))
        ]
        self.ids["subject_id"] = [self._subject(n, phone) for n, phone in enumerate(SUBJECT_PHONES[:2])]
        changed = people.officer(phone=OFFICER_PHONES[1], id_number=OFFICER_IDS[1], name="白晓梅")
        assert people.post(self.office, f"/{self.ids['officer_id'][1]}/edit", changed).status_code == 303

    def _subject(self, n: int, phone: str) -> str:
        row = good_row(Random(f"form {n}"), 700 + n, set())
        form = {
            "uscc": row[0],
            "name": row[2],
            "legal_representative": "某人",
            "address": row[4],
            "contact": "某人",
            "phone": phone,
            "kind": "company",
            "industry": "C2614",
            "region": "411303",
            "risk": "low",
            "credit": "B",
            "status": "active",
            "lat": "",
            "lon": "",
            "traits": ["hazardous_chemicals"],
            "anyway": "yes",
        }
        answer = self.clerk.post("/office/subjects/new", data=form, headers=HTML)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].rpartition("/")[2]

    def _by_imports(self) -> None:
        officers = [
            _officer_row(phone, number) for phone, number in zip(OFFICER_PHONES[2:], OFFICER_IDS[2:], strict=True)
        ]
        wrong = [["某人", LOST_IDS[0], LOST_PHONES[0], LOST_IDS[1][:17], "豫R1", LOST_PHONES[1], "x", LOST_IDS[0], ""]]
        batches = [self._undone(self._batch(officers, OFFICER_COLUMNS, "officers"))]
        batches.append(self._batch(officers, OFFICER_COLUMNS, "officers"))
        batches.append(brought(self.clerk, csv_of(wrong, OFFICER_COLUMNS), "错.csv", "officers"))
        batches.append(self._batch([_expert_row(EXPERT_PHONES[1], EXPERT_IDS[1])], EXPERT_COLUMNS, "experts"))
        rows = [good_row(Random(f"import {n}"), 800 + n, set()) for n in range(2)]
        for row, phone in zip(rows, SUBJECT_PHONES[2:], strict=True):
            row[6] = phone
        subjects = brought(self.clerk, csv_of(rows), "主体.csv", "subjects")
        batches.append(applied(self.clerk, subjects))
        self.ids["batch_id"] = [batch.rpartition("/")[2] for batch in batches]
        with self.office.db.read() as conn:
            codes = [row[0] for row in rows]
            found = conn.scalars(sa.select(tables.subject.c.id).where(tables.subject.c.uscc.in_(codes)))
            self.ids["subject_id"] += list(found)

    def _batch(self, rows: list[list[str]], columns: tuple[str, ...], layout: str) -> str:
        return applied(self.clerk, brought(self.clerk, csv_of(rows, columns), f"{layout}.csv", layout))

    def _undone(self, batch: str) -> str:
        """Takes a batch back: what it brought is gone, and is nowhere in clear."""
        assert self.clerk.post(f"{batch}/undo").status_code == 303
        return settled(self.clerk, batch)

    def _in_wrong_places(self) -> None:
        """What is refused, by programs and by addresses: the answers are kept; a form's page is its typer's own."""
        values = LOST_PHONES + LOST_IDS
        for value in values:
            fields = ("name", "sex", "phone", "certificate", "certificate_to", "unit_id", "domains", "left_on")
            wrong = people.officer() | dict.fromkeys(fields, value)
            people.post(self.office, "/new", wrong)
            asked = {"field": value, "reason": value}
            self.errors += [
                self.clerk.post("/office/officers/new", data=wrong, headers=JSON),
                self.clerk.post("/office/officers/experts/new", data=wrong, headers=JSON),
                self.clerk.post("/office/officers/agencies/new", data=wrong | {"uscc": value}, headers=JSON),
                self.clerk.post(
                    "/office/officers/interests/new", data=people.interest(value, value) | {"note": value}, headers=JSON
                ),
                self.clerk.post("/office/officers/leave/new", data=people.leave("li", reason=value), headers=JSON),
                self.clerk.post("/office/officers/li/reveal", data=asked, headers=JSON),
                self.clerk.post(
                    "/office/officers/li/leave", data={"left_on": value, "left_reason": value}, headers=JSON
                ),
                self.clerk.post("/office/subjects/new", data={"name": value, "phone": value + "0"}, headers=JSON),
                self.clerk.post(f"/office/officers/{value}/edit", data={}, headers=HTML),
                self.clerk.get(f"/office/officers/{value}", headers=HTML),
                self.clerk.get(f"/office/subjects/{value}", headers=JSON),
                self.clerk.get(f"/office/plans/{value}", headers=HTML),
                self.clerk.get("/office/officers", params={"q": value, "unit": value, "state": value}, headers=HTML),
                self.clerk.get("/office/officers/leave", params={"month": value}, headers=HTML),
                self.clerk.get(
                    f"/office/officers/li/fitness?since={value}&until={value}&subject={value}", headers=JSON
                ),
                self.clerk.delete(f"/office/{value}"),
                self.clerk.post("/api/sync", content=f'{{"proto": 1, "{value}": {value},'.encode()),
                self.clerk.post(f"/api/visits/{value}/acts", json={"kind": value, "path": [value], "val": {}}),
                self.office.stranger.get(f"/{value}"),
                self.office.stranger.get(f"/app/{value}"),
                self.office.stranger.post("/api/session", json={"username": value, "password": value}),
            ]
        assert [answer.url for answer in self.errors if answer.status_code >= 500] == []
        assert sum(answer.status_code >= 400 for answer in self.errors) > 4 * 15


def _officer_row(phone: str, number: str) -> list[str]:
    return ["某人", "女", phone, number, f"豫R88{phone[-6:]}", "2025-01-01", "2029-12-31", "危险化学品", ""]


def _expert_row(phone: str, number: str) -> list[str]:
    return ["某人", "女", phone, number, "某设计院", "高级工程师", "危险化学品", ""]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planting]:
    """The demo district on a server that logs all it can, with everything entered."""
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            url = stack.enter_context(databases.fresh_postgres(server, databases.migrated_template(server)))
        running = demo_server(tmp_path_factory.mktemp("planted") / "data", url)
        running.stop()
        running.environment["SUIJIAN_LOG_LEVEL"] = "debug"
        office = Office(running.start())
        stack.callback(office.close)
        found = Planting(office)
        found.plant()
        yield found
        print(
            f"\n{request.param}: {found.scanner.places} places, {found.scanner.bytes // 2**20} MiB, "
            f"{len(PLANTED)} values, {found.scanner.looks} looks"
        )


def test_what_is_planted_is_there_and_can_be_found(planting: Planting) -> None:
    """The control: where somebody may see a value, the scanner finds it, and only that one."""
    asked = {"field": "id_number", "reason": "核对证件"}
    shown = people.post(planting.office, f"/{planting.ids['officer_id'][0]}/reveal", asked)
    assert [leak.value for leak in planting.scanner.scan_text("reveal", shown.text)] == [OFFICER_IDS[0]]
    subject = planting.clerk.get(f"/office/subjects/{planting.ids['subject_id'][0]}", headers=HTML)
    assert [leak.value for leak in planting.scanner.scan_text("subject", subject.text)] == [SUBJECT_PHONES[0]]
    assert len(set(PLANTED)) == 20


def test_nothing_lies_in_the_database_the_data_folder_or_the_log(planting: Planting) -> None:
    data = planting.office.running.data
    if planting.office.db.is_sqlite:
        assert (data / "suijian.db-wal").stat().st_size > 0
    scanner = planting.scanner
    leaks = scanner.scan_database(planting.office.db) + scanner.scan_folder(data)
    log = planting.office.running.log
    assert log.read_text().count('"suijian.request"') > 100
    assert said(leaks + scanner.scan(str(log), log.read_bytes())) == ""


def test_no_error_answer_repeats_what_was_typed(planting: Planting) -> None:
    leaks = [leak for answer in planting.errors for leak in _in_answer(planting.scanner, answer)]
    assert said(leaks) == ""


def test_no_export_holds_one(planting: Planting) -> None:
    leaks, files = [], 0
    for who in ("clerk", "head", "legal", "principal", "auditor"):
        for layout, kind in product(("officers", "experts", "subjects", "agencies"), ("xlsx", "csv")):
            wish = {"layout": layout, "format": kind}
            answer = planting.office.client(who).post("/office/imports/exports", data=wish)
            files += answer.status_code == 200
            leaks += _in_answer(planting.scanner, answer)
    assert files >= 20
    assert said(leaks) == ""


def test_no_page_shows_one_to_who_may_not_see_it(planting: Planting) -> None:
    if not planting.office.db.is_sqlite:
        return  # pages are made by the same code on both
    leaks: list[Leak] = []
    asked = 0
    everybody = _everybody(planting.office)
    for who, client in everybody.items():
        for address in _addresses(planting):
            answer = client.get(address, headers=HTML if address.startswith("/office") else JSON)
            asked += 1
            assert answer.status_code < 500, (who, address)
            leaks += [
                leak for leak in _in_answer(planting.scanner, answer, who) if not _may_see(who, address, leak.value)
            ]
    everybody["officer"].close()
    print(f"{asked} answers of {len(_get_routes())} routes were read")
    assert said(leaks) == ""


def _may_see(who: str, address: str, value: str) -> bool:
    """Subjects' phones are shown in their unit; a file that was brought goes back, marked, to who brought it."""
    if address.endswith("/marked"):
        return who == "clerk"
    return who in WHO_MAY_SEE_SUBJECT_PHONES and address.startswith("/office/subjects") and value in SUBJECT_PHONES


def said(leaks: list[Leak]) -> str:
    """Every place once, with how it is written there and which value of ours it is."""
    return "\n".join(sorted({f"{leak.where}: {leak.how}: value {PLANTED.index(leak.value)}" for leak in leaks}))


def _everybody(office: Office) -> dict[str, httpx.Client]:
    officer = office.running.signed_in("zhao")
    return {who: office.client(who) for who in ROLES} | {"officer": officer, "public": office.stranger}


def _get_routes() -> list[str]:
    """The path of every GET route, from the app itself."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    return sorted(
        route.path
        for route in app.routes
        if isinstance(route, HTTPRoute) and "GET" in route.methods and "/stream" not in route.path
    )


def _addresses(planting: Planting) -> list[str]:
    """Every GET route, filled with what was planted and with the samples of the permission test."""
    found: list[str] = list(LISTS)
    for path in _get_routes():
        names = re.findall(r"\{(\w+)(?::\w+)?\}", path)
        choices = {name: _choices(planting, path, name) for name in names}
        for n in range(max((len(each) for each in choices.values()), default=1)):
            filled = {name: each[min(n, len(each) - 1)] for name, each in choices.items()}
            found.append(re.sub(r"\{(\w+)(?::\w+)?\}", lambda match, filled=filled: filled[match[1]], path))  # type: ignore[misc]
    return found


LISTS = (
    "/office/officers?state=all&q=某人",
    "/office/officers?state=all&q=白晓",
    "/office/officers/experts?q=某人",
    "/office/officers/experts?q=柴若水",
    "/office/subjects?q=化工有限公司",
    "/office/trail?act=officer.reveal",
)
"""Lists narrowed to what was planted: a whole list shows it on a later page only."""


def _choices(planting: Planting, path: str, name: str) -> list[str]:
    if name in planting.ids:
        return planting.ids[name]
    sample = SAMPLES.get(path) or SAMPLES.get(name)
    return ["1"] if sample is None else [sample(planting.office).own]


def _in_answer(scanner: Scanner, answer: httpx.Response, who: str = "") -> list[Leak]:
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    where = f"{who} {answer.request.method} {answer.request.url.path} {answer.status_code}"
    return scanner.scan(where, head.encode() + b"\n" + answer.content)


def test_a_leak_in_the_folder_or_in_a_table_would_have_been_found(planting: Planting) -> None:
    """The negative control: one phone in a packed file, another in a sealed column that somebody left open."""
    data, db = planting.office.running.data, planting.office.db
    (data / "old.gz").write_bytes(gzip.compress(OFFICER_PHONES[0].encode()))
    left_open = {"phone": base64.b64encode(SUBJECT_PHONES[0].encode())}
    with db.write() as conn:
        conn.execute(sa.update(tables.officer).where(tables.officer.c.id == "song").values(left_open))
    found = planting.scanner.scan_folder(data) + planting.scanner.scan_database(db)
    in_the_file = (str(data / "old.gz"), OFFICER_PHONES[0])
    assert {in_the_file, ("table officer", SUBJECT_PHONES[0])} <= {(leak.where, leak.value) for leak in found}
    (data / "old.gz").unlink()


def test_the_sheets_are_read_as_they_are_written() -> None:
    """A row of the import has as many cells as its header, or the test would plant nothing."""
    for row, columns in (
        (_officer_row(_phone(0), _id(0)), OFFICER_COLUMNS),
        (_expert_row(_phone(0), _id(0)), EXPERT_COLUMNS),
    ):
        assert len(next(csv.reader(io.StringIO(",".join(row))))) == len(columns)
