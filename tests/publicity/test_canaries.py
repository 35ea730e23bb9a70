"""A thousand canaries in every field where people write, by forms and by phones: the public reads those it may."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from pypdf import PdfReader

from server.domain.layout import LAYOUTS
from server.domain.province import KINDS
from server.store import tables
from server.sync import shapes
from tests.infested import plant
from tests.leaks import Scanner
from tests.office import people
from tests.office.district import HTML, IDS, demo_server
from tests.office.forms import forms_in
from tests.office.objecting import CASE, PNG
from tests.office.walks import Walk, all_walks, tasks
from tests.office.walks.publication import PASSWORD, result_id
from tests.phone import Phone
from tests.publicity.asking import PARAMETER, public_routes
from tests.publicity.canaries import CHINESE, SIGNS, Typing, photo
from tests.publicity.filling import id_number

pytestmark = pytest.mark.serial

VISIT: Final = "fresh-one"
CREW: Final = ("li", "zhang", "wang")


class Round:
    """A whole visit by the crew's phones, each field of each op with a canary of its own."""

    def __init__(self, office: Typing) -> None:
        self.canaries, self.visit = office.canaries, IDS[VISIT]
        self.phones = [Phone(office.running.url, name) for name in CREW]
        for phone in self.phones:
            phone.sign_in().enrol("手机" + self.canaries.text("/api/devices name"))
            phone.start(self.visit)
        self.leader = self.phones[0]
        self.written: set[str] = set()

    def text(self, field: str) -> str:
        """A sentence with the canary of a field, which is noted as written."""
        self.written.add(field)
        return "记录" + self.canaries.text(f"op {field}")

    def settle(self) -> None:
        """Everybody has everything."""
        for phone in self.phones * 2:
            phone.drain()

    def go(self) -> None:
        """From the first answer to the accepted final."""
        self._answers()
        self._findings()
        self._media()
        self._facts()
        self.settle()
        self._end()

    def _answers(self) -> None:
        missing = self.leader.view(self.visit)["missing"]
        for point in (one["detail"]["point"] for one in missing if one["code"] == "unanswered_point"):
            self.leader.set(self.visit, ["answer", point, "verdict"], "pass")
            self.leader.set(self.visit, ["answer", point, "note"], self.text("answer.note"))

    def _findings(self) -> None:
        kept = {"severity": "general", "crime": True}
        for _ in range(200):
            texts = {name: self.text(f"finding.{name}") for name in ("text", "basis", "place")}
            row = self.phones[1].write(self.visit, "add", ["finding"], texts | kept)
        for name in ("severity", "measure", "due", "point"):  # words and days by rule; a text is kept, and said no more
            self.phones[1].set(self.visit, ["finding", row, name], self.text(f"finding.{name}"))
        self.phones[1].write(self.visit, "del", ["finding", row], {"reason": self.text("del.reason")})

    def _media(self) -> None:
        for _ in range(10):
            photographed = photo(self.canaries, "op attach")
            self.leader.attach(self.visit, photographed)
            files = {
                _sha256(photographed): (self.canaries.text("upload file name") + ".jpg", photographed, "image/jpeg")
            }
            sent = self.leader.http.post("/api/media/batch", data={"visit": self.visit}, files=files)
            sent.raise_for_status()
            self.leader.set(self.visit, ["media", _sha256(photographed), "caption"], self.text("media.caption"))
        self.leader.write(
            self.visit, "retract", ["media", _sha256(photographed)], {"reason": self.text("retract.reason")}
        )

    def _facts(self) -> None:
        for name in ("attendee", "attendee_post", "summary", "result_note", "form"):
            self.leader.set(self.visit, ["visit", name], self.text(f"visit.{name}"))
        objects = {
            "arrived": {"at": "2026-11-25T09:00:00+08:00", "note": self.text("visit.arrived")},
            "left": {"at": "2026-11-25T11:00:00+08:00", "note": self.text("visit.left")},
            "noncooperation": {"circumstances": [], "text": self.text("visit.noncooperation")},
            "followup": {
                "owner": self.text("visit.followup"),
                "due": "2026-12-10",
                "text": self.text("visit.followup"),
            },
        }
        for name, value in objects.items():
            self.leader.set(self.visit, ["visit", name], value)
        tries = [{"at": "2026-11-25T09:00:00+08:00", "way": self.text("visit.attempts"), "result": "x", "by": "li"}]
        self.leader.set(self.visit, ["visit", "attempts"], tries)
        self.leader.set(self.visit, ["visit", "methods"], ["site", self.text("visit.methods")])
        self.leader.set(self.visit, ["visit", "basis:hazchem-storage"], self.text("visit.basis"))
        self.leader.set(self.visit, ["visit", f"section:{self.text('visit.section')}"], ["li"])
        for phone in self.phones:
            field = ["visit", f"no_interest:{phone.officer}"]
            phone.set(self.visit, field, {"interest": False, "reason": self.text("visit.no_interest")})

    def _end(self) -> None:
        result = "pending_followup"
        self.leader.set(self.visit, ["visit", "result:hazchem-storage"], [result])
        self.leader.set(self.visit, ["visit", "result"], result)
        self.settle()
        digest = self.leader.view(self.visit)["digest"]
        image = self.leader.upload(self.visit, photo(self.canaries, "op sign"))
        for phone in self.phones:
            phone.sign(self.visit, digest, "leader" if phone is self.leader else "member", image=image)
        self.leader.sign(self.visit, digest, "subject", "subject", refused=self.text("sign.refused"))
        self.phones[1].sign(self.visit, digest, "witness", "witness", image=image)
        self.settle()
        self.leader.propose(self.visit, digest, result, [])
        self.settle()
        view = self.leader.view(self.visit)
        assert view["phase"] == "final", (view["phase"], view["missing"], view["flags"])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    """The demo district in which a visit was done and published, and every act besides, all with canaries."""
    data = tmp_path_factory.mktemp("canaries") / "data"
    running = demo_server(data)
    running.stop()
    running.environment["SUIJIAN_LOG_LEVEL"] = "debug"
    with closing(Typing(running.start())) as found:
        _edit_people(found)
        its = Round(found)
        its.go()
        assert its.written == OF_OPS
        _publish(found)
        _type_more(found)
        refused = [name for name, walk in sorted(all_walks().items()) if not _walked(found, walk)]
        assert refused == ["op.void"]  # which would void the very visit whose result is public here
        yield found


OF_OPS: Final = (
    {f"{group}.{name}" for group, names in shapes.FIELDS.items() for name, check in names.items() if check("x")}
    | {f"visit.{name}" for name, check in shapes.FIELDS["visit"].items() if check({}) or check([])}
    | {f"visit.{name}" for name in shapes.NAMED_FIELDS}
    | {"del.reason", "retract.reason", "sign.refused"}
) - {"answer.verdict", "visit.result"}
"""Every field of an op that holds what people write; those two hold a word that must be one of ours."""


def _walked(office: Typing, walk: Walk) -> bool:
    return walk(office).do().status_code < 400


def _edit_people(office: Typing) -> None:
    """The subject of the visit, and its crew, as the office keeps them: each number and name is a canary."""
    its = sa.select(tables.subject).join(tables.visit).where(tables.visit.c.id == IDS[VISIT])
    crew = sa.select(tables.officer).where(tables.officer.c.id.in_(CREW))
    with office.db.read() as conn:
        subject, officers = conn.execute(its).mappings().one(), conn.execute(crew).mappings().all()
    _edit(office, f"/office/subjects/{subject['id']}/edit", subject, {})
    for n, one in enumerate(officers):
        numbers = {"phone": f"1400000{n:04}", "id_number": id_number(n, one["sex"] == "female")}
        _edit(office, f"/office/officers/{one['id']}/edit", one, numbers)


def _edit(office: Typing, address: str, row: sa.RowMapping, values: dict[str, str]) -> None:
    """Sends the form of a page as it stands there, with these values; what was chosen stays as the row has it."""
    page = office.client("clerk").get(address, headers=HTML)
    form = next(one for one in forms_in(page.text, "clerk", address) if one.action.split("?")[0] == address)
    chosen = {
        one.name: row[one.name]
        for one in form.fields
        if one.kind in ("select", "checkbox", "radio") and one.name in row
    }
    before = len(office.taken)
    sent = form.filled() | chosen | {"anyway": "yes"} | values
    answer = office.client("clerk").post(address, data=sent, headers=HTML)
    assert answer.status_code == 303 and len(office.taken) > before, answer.text


def _type_more(office: Typing) -> None:
    """What no walk types: why fewer are drawn than the floor, and what an interest is."""
    clerk = office.client("clerk")
    below = tasks.form(campaign="", n="1", reason="人手不够")
    assert clerk.post("/office/tasks", data=below, headers=HTML).status_code == 303
    known = people.interest("wang", people.code_of(office, "subject-006")) | {"note": "姐夫的店"}
    assert clerk.post("/office/officers/interests/new", data=known, headers=HTML).status_code == 303


def _publish(office: Typing) -> None:
    """The visit's result, approved and published; and an objection to it."""
    assert office.act("clerk", VISIT, "approve", round="1").status_code < 400
    id = result_id(office, VISIT)
    done = office.client("clerk").post(f"/office/publication/{id}/publish", data={"proof": PASSWORD}, headers=HTML)
    assert done.status_code == 303, done.text
    with office.db.read() as conn:
        no = conn.scalar(sa.select(tables.publication.c.no).where(tables.publication.c.visit_id == IDS[VISIT]))
    form = {name: office.canaries.put(f"/objections/new {name}", value) for name, value in CASE.items()}
    papers = [("papers", (office.canaries.text("/objections/new papers file name") + ".png", PNG))]
    filed = office.stranger.post("/objections/new", data=form | {"no": str(no)}, files=papers)
    assert filed.status_code == 201, filed.text


# --- what the public reads --------------------------------------------------------------------------------------------

PUBLIC: Final[dict[str, str]] = {
    "/office/crews/*/commit source.0.what": "draw page, 1: what will be drawn from is announced",
    "/office/crews/*/commit source.1.what": "draw page, 1",
    "/office/crews/*/contribute by": "draw page, 1: who saw the number fall is named",
    "/office/crews/*/void reason": "draw page, 1: a void is public with its reason",
    "/office/draws/*/contribute by": "draw page, 1",
    "/office/draws/*/void reason": "draw page, 1",
    "/office/draws/tasks/* source.0.what": "draw page, 1",
    "/office/draws/tasks/* source.1.what": "draw page, 1",
    "/office/items/*/checklist point.0.how": "R5.2: the released list is public",
    "/office/items/*/checklist point.0.section": "R5.2",
    "/office/items/*/checklist point.0.text": "R5.2",
    "/office/items/new department": "R5.2",
    "/office/items/new level": "R5.2",
    "/office/items/new method": "R5.2",
    "/office/items/new name": "R5.2",
    "/office/items/new object": "R5.2",
    "/office/items/release document": "R5.2",
    "/office/items/release summary": "R5.2",
    "/office/officers/li/edit name": "R26.7: officers' names by setting",
    "/office/officers/wang/edit name": "R26.7",
    "/office/officers/zhang/edit name": "R26.7",
    "/office/tasks/*/extend reason": "R17.1: a notice says why its window is longer",
    "/office/units name": "R3.1: the inspecting unit is named",
    "/office/units/* name": "R3.1",
}
"""What of the fields above the public may read, and by which rule."""


def seen(data: bytes, canaries: Mapping[str, str]) -> set[str]:
    """The canaries in some bytes: as they are, as HTML or JSON may write them, and numbers in every other form too."""
    text = data.decode("utf-8", "replace")
    unescaped = re.sub(r"\\u([0-9a-f]{4})", lambda one: chr(int(one[1], 16)), html.unescape(text))
    found = {one for one in BIRD.findall(text + unescaped) if one in canaries}
    numbers = Scanner(one for one in canaries if one.isascii())
    return found | {leak.value for leak in numbers.scan("here", data)}


BIRD: Final = re.compile(f"雀[{SIGNS}]{{4}}")


def crawl(office: Typing) -> dict[str, httpx.Response]:
    """Everything that is linked from anywhere in public, and every route that needs nothing to be asked."""
    waiting = [path for path in public_routes() if "{" not in path]
    found: dict[str, httpx.Response] = {}
    while waiting:
        address = waiting.pop()
        if address in found or address.startswith(("/office", "/app", "/api", "/schema")):
            continue
        answer = found[address] = office.stranger.get(address)
        for link in re.findall(r'(?:href|url|id|next|action)"?[=:] ?"([^"]+)"', answer.text):
            whole = urlsplit(urljoin(office.running.url + address, html.unescape(link)))
            if f"{whole.scheme}://{whole.netloc}" == office.running.url:
                waiting.append(whole.path + (f"?{whole.query}" if whole.query else ""))
    return found


def test_the_public_reads_the_canaries_that_it_may_and_no_other(office: Typing) -> None:
    of, got, found = office.canaries.of, set[str](), crawl(office)
    for answer in found.values():
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        got |= {of[one] for one in seen(head.encode() + answer.content, of)}
    patterns = {path: PARAMETER.sub("[^/]+", path) for path in public_routes()}
    read = {address.partition("?")[0] for address in found}
    unread = {path for path, pattern in patterns.items() if not any(re.fullmatch(pattern, one) for one in read)}
    print(f"{len(of)} canaries in {len(set(of.values()))} fields, {len(found)} public answers read")
    assert len(of) >= 1_000 and len(found) >= 100
    assert unread == set()
    assert sorted(got - PUBLIC.keys()) == []
    assert len(got) >= 20, "the control: what is public is found"


def test_neither_the_servers_log_nor_the_public_log_holds_one(office: Typing) -> None:
    written = office.running.log.read_bytes()
    assert written.count(b'"suijian.request"') > 500
    with office.db.read() as conn:
        leaves = b"\n".join(conn.scalars(sa.select(tables.trail.c.leaf)))
    assert [office.canaries.of[one] for one in seen(written + leaves, office.canaries.of)] == []


def test_no_document_holds_a_phone_or_an_id_number(office: Typing) -> None:
    texts = [pdf for path in (office.running.data / "media").rglob("*") if path.is_file() and (pdf := _text(path))]
    numbers = {one: field for one, field in office.canaries.of.items() if one.isascii()}
    print(f"{len(texts)} documents, {len(numbers)} numbers")
    assert len(texts) >= 5 and len(numbers) >= 20
    assert [numbers[one] for text in texts for one in seen(text.encode(), numbers)] == []


def _text(path: Path) -> str:
    """What a PDF says; nothing of another file."""
    if path.read_bytes()[:5] != b"%PDF-":
        return ""
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def test_every_column_where_people_write_had_a_canary(office: Typing) -> None:
    """The list is made from the tables: a new column that holds what people wrote can't be forgotten."""
    bare = set[str]()
    with office.db.read() as conn:
        for table in tables.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, sa.String | sa.JSON | sa.LargeBinary):
                    cells = "\n".join(_cell(value) for value in conn.scalars(sa.select(column)) if value is not None)
                    if CHINESE.search(cells) and not BIRD.search(cells):
                        bare.add(f"{table.name}.{column.name}")
    assert sorted(bare - OURS.keys()) == []


OURS: Final[dict[str, str]] = dict.fromkeys(
    ("crew_match.frame", "crew_match.leaders", "crew_match.left_out", "crew_match.officers", "crew_match.skips",
     "crew_match.teams", "crew_match.visits", "crew_match.ways", "crew_change.record", "officer.certificate"),
    "the numbers of certificates",
) | dict.fromkeys(
    ("draw.rules", "draw.excused", "draw_frame.kept", "selection.document", "excuse.document"),
    "the library's documents, frozen when the demo drew",
) | dict.fromkeys(
    ("publication.name_key", "publication.subject_name", "publication_term.term", "subject_term.term"),
    "a subject's name as it was at the dispatch, and what searching makes of it",
) | dict.fromkeys(
    ("correction.items", "document.no", "document.problems"), "names of items, a prefix with a year, a visit's findings"
) | {
    "joint_list_row.name": "the rows of a file, whose name has a canary",
} | dict.fromkeys(
    ("plan_line.partner", "plan_line.reason", "task.partner", "non_random.document", "item.phrases"),
    "typed, and public by R12.3 and R17.1 or the phones' alone: no act of the walks types it",
)  # fmt: skip
"""Columns in which Chinese stands that nobody typed here: why."""


def _cell(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return ""  # sealed, or no text at all
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- what is typed is never alive -------------------------------------------------------------------------------------

FORMULA: Final = "=1+1"
MARKUP: Final = "\"'><img src=x onerror=window.hit=1><script>window.hit=1</script>{{7*7}}\u202e"
HOT: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
SHEET: Final = {"csv": "text/csv", "xlsx": "spreadsheetml"}


class Live(HTMLParser):
    """What of a page could run: scripts, handlers, addresses that are code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what is alive."""
        if tag in ("script", "iframe", "object", "embed", "base", "meta") and (
            tag != "meta" or "refresh" in str(attrs)
        ):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").lstrip().lower().startswith(("javascript:", "data:text")):
                self.found.append(f"{tag} {name}={value}")


def test_payloads_in_every_stored_text_are_only_text_in_public_and_in_exports(office: Typing) -> None:
    """A formula before and markup behind every Chinese text of the database, also in the bodies that were published."""
    with office.db.write() as conn:
        columns = plant(conn, lambda text: f"{FORMULA}{text}{MARKUP}", ("trail", "op", "apart", "session"))
    kinds, shown, live = Counter[str](), 0, list[str]()
    answers = crawl(office) | exports(office)
    for address, answer in answers.items():
        kind = answer.headers.get("content-type", "").partition(";")[0]
        kinds[kind] += 1
        assert answer.status_code < 500, address
        shown += FORMULA in answer.text or "1+1" in answer.text
        live += [f"{address}: {one}" for one in alive(kind, answer)]
    print(f"{columns} columns, {len(answers)} answers {dict(kinds)}, {shown} show the payload")
    assert columns >= 100 and shown >= 100
    assert {"text/html", "text/csv", "application/atom+xml", "application/json"} <= kinds.keys()
    assert live == []


def alive(kind: str, answer: httpx.Response) -> list[str]:
    """What of an answer a browser would run or a spreadsheet reckon with."""
    if kind == "text/html":
        reader = Live()
        reader.feed(answer.text)
        own = "/verify/verify-draw.html" in str(answer.url)
        return [] if own else reader.found
    if kind == "text/csv":
        cells = (cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row)
        return [cell for cell in cells if HOT.match(cell) and not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    if SHEET["xlsx"] in kind:
        sheets = load_workbook(io.BytesIO(answer.content)).worksheets
        return [str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row
                if cell.data_type == "f" or cell.hyperlink is not None]  # fmt: skip
    if kind == "application/atom+xml":
        contents = ElementTree.fromstring(answer.content).iter("{http://www.w3.org/2005/Atom}content")
        return [str(one.attrib) for one in contents if one.get("type") != "text"]
    if "json" in kind:
        answer.json()
    return []


def exports(office: Typing) -> dict[str, httpx.Response]:
    """Every sheet that the office gives: the libraries, and each kind of row in the province's layout."""
    found: dict[str, httpx.Response] = {}
    for format in SHEET:
        for layout in LAYOUTS:
            form = {"layout": layout, "format": format}
            found[f"{layout}.{format}"] = office.client("clerk").post("/office/imports/exports", data=form)
        for kind in KINDS:
            address, form = (
                f"/office/province/kinds/{kind}/export",
                {"format": format, "which": "all", "proof": PASSWORD},
            )
            found[f"province {kind}.{format}"] = office.client("legal").post(address, data=form)
    sheets = [one for one in found.values() if any(it in one.headers["content-type"] for it in SHEET.values())]
    assert len(sheets) >= 2 * len(LAYOUTS), {name: one.status_code for name, one in found.items()}
    return found
