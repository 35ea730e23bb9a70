"""The log for everybody, from a real server: a stranger can check what it gives, and it gives nothing personal."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from server.domain.checkpoint import read_key
from server.domain.merkle import is_consistent, is_included, root_of
from server.office import log as office
from server.routes.log import programs
from server.standalone import witness
from server.standalone.verify_trail import HIDDEN, LEAF
from server.store import tables
from server.store.log_keys import open_signer
from tests.log.scene import later, verified
from tests.office.district import HTML, Office, demo_server

REASON = "本人要求删除多余的个人信息"
NUMBERS = re.compile(r"(?<![0-9a-f])(?:1[3-9]\d{9}|\d{17}[\dXx]|91\d{6}[0-9A-Z]{10})(?![0-9a-f])")
"""A mobile's number, an ID number, and a company's credit code."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("log") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def public(demo: Office) -> Iterator[httpx.Client]:
    with demo.running.client() as client:
        yield client


def sign(demo: Office, hours: float = 1) -> int:
    """The size of a checkpoint of all that is written."""
    return office.Log(demo.db, demo.running.data / "keys", demo.running.url).sign(later(hours)).size


def json_of(public: httpx.Client, path: str, **asked: object) -> dict[str, object]:
    answer = public.get(path, params={name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def path_of(found: dict[str, object]) -> list[bytes]:
    return [bytes.fromhex(step) for step in msgspec.convert(found["path"], list[str])]


def entries_of(public: httpx.Client, size: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    while len(found) < size:
        found += msgspec.convert(json_of(public, "/log/entries", start=len(found))["entries"], list[dict[str, object]])
    return found[:size]


def test_a_stranger_makes_the_root_from_the_entries_and_finds_the_signature_good(
    demo: Office, public: httpx.Client
) -> None:
    size = sign(demo)
    note = public.get("/log/checkpoint")
    assert note.headers["content-type"].startswith("text/plain")
    keys = msgspec.convert(json_of(public, "/log/keys")["keys"], list[dict[str, object]])
    origin, signed, root = verified(note.text, [str(one["key"]) for one in keys])
    assert (signed, keys[-1]["origin"]) == (size, origin)
    entries = entries_of(public, size)
    hashes = [hashlib.sha256(b"\x00" + str(one["leaf"]).encode()).digest() for one in entries]
    assert [one["hash"] for one in entries] == [found.hex() for found in hashes]
    assert [(one["index"], one["n"]) for one in entries] == [(at, at + 1) for at in range(size)]
    assert root_of(hashes) == root
    for index in range(0, size, 37):
        found = json_of(public, "/log/inclusion", index=index, size=size)
        assert (found["root"], found["hash"]) == (root.hex(), hashes[index].hex())
        assert is_included(hashes[index], index, size, path_of(found), root)
    for first in range(0, size, 41):
        found = json_of(public, "/log/consistency", first=first, second=size)
        assert is_consistent(first, root_of(hashes[:first]), size, root, path_of(found))
    print(f"{size} entries, {len(range(0, size, 37)) + len(range(0, size, 41))} proofs over HTTP")


def test_an_older_checkpoint_is_given_by_its_size(demo: Office, public: httpx.Client) -> None:
    size = sign(demo)
    older = public.get("/log/checkpoint").text
    demo.client("admin")
    assert sign(demo, 2) > size
    assert public.get("/log/checkpoint", params={"size": str(size)}).text == older
    assert public.get("/log/checkpoint").text != older
    refused = public.get("/log/checkpoint", params={"size": "3"})
    assert (refused.status_code, refused.json()["code"]) == (404, "log_none")


@pytest.mark.parametrize(
    ("path", "asked", "name"),
    [
        ("inclusion", "", "index"),
        ("inclusion", "index=-1", "index"),
        ("inclusion", "index=x", "index"),
        ("inclusion", "index=1.0", "index"),
        ("inclusion", "index=٣", "index"),
        ("inclusion", "index=99999999999999999999", "index"),
        ("inclusion", "index=5&size=5", "index"),
        ("inclusion", "index=0&size=0", "size"),
        ("inclusion", "index=0&size=999999999", "size"),
        ("consistency", "second=5", "first"),
        ("consistency", "first=6&second=5", "first"),
        ("consistency", "first=1&second=999999999", "second"),
        ("entries", "start=999999999", "start"),
        ("entries", "start=5&end=4", "end"),
        ("entries", "start=%00", "start"),
        ("checkpoint", "size=<b>", "size"),
    ],
)
def test_what_is_no_such_number_is_refused_in_a_sentence_that_names_it(
    public: httpx.Client, path: str, asked: str, name: str
) -> None:
    for language in ("zh-CN", "en"):
        refused = public.get(f"/log/{path}?{asked}", headers={"Accept-Language": language})
        assert (refused.status_code, refused.json()["code"]) == (400, "log_number")
        assert name in refused.json()["detail"]


def test_the_log_gives_no_detail_no_salt_and_no_number_of_anybody(demo: Office, public: httpx.Client) -> None:
    size = sign(demo)
    entries = entries_of(public, size)
    assert {frozenset(one) for one in entries} == {frozenset(("index", "n", "hash", "leaf"))}
    leaves = [json.loads(str(one["leaf"])) for one in entries]
    assert {frozenset(leaf) for leaf in leaves} == {frozenset((*LEAF, *HIDDEN, "t"))}
    told = "\n".join(str(value) for found in (*entries, *leaves) for value in found.values())
    trail = tables.trail.c
    with demo.db.read() as conn:
        kept = conn.execute(
            sa.select(trail.before, trail.after, trail.detail, trail.salt).where(trail.salt != b"")
        ).all()
        hashes = set(conn.scalars(sa.select(tables.op.c.hash)))
        names = set(conn.scalars(sa.select(tables.officer.c.name))) | set(
            conn.scalars(sa.select(tables.subject.c.name))
        )
    looked = 0
    for *hidden, salt in kept:
        assert salt.hex() not in told
        looked += 1
        for one in hidden:
            assert one is None or (one if isinstance(one, str) else one.decode()) not in told
    assert hashes, "there are operations, whose hashes somebody could guess"
    assert not [one for one in hashes if one in told]
    assert not [name for name in names if name in told]
    assert NUMBERS.search(told) is None
    print(f"{size} entries, {looked} details, {len(names)} names: none is there")
    assert looked > 100
    assert len(names) > 500


def test_the_page_shows_the_checkpoint_the_key_and_how_to_check(demo: Office, public: httpx.Client) -> None:
    size = sign(demo)
    for language in ("zh-CN", "en"):
        page = public.get("/log", headers=HTML | {"Accept-Language": language})
        assert page.status_code == 200
        assert f"<b>{size}</b>" in page.text
        assert "data:image/svg+xml" in page.text
        assert "<script" not in page.text
    key = str(msgspec.convert(json_of(public, "/log/keys")["keys"], list[dict[str, object]])[-1]["key"])
    assert key.replace("+", "&#43;") in page.text or key in page.text
    for name in ("witness.py", "verify_trail.py"):
        program = public.get(f"/log/{name}")
        assert "attachment" in program.headers["content-disposition"]
        assert hashlib.sha256(program.content).hexdigest() in page.text
    refused = public.get("/log/inclusion?index=x", headers=HTML)
    assert (refused.status_code, refused.headers["content-type"].partition(";")[0]) == (400, "text/html")


def cosigned(note: str, folder: Path, name: str = "audit.example.cn") -> tuple[str, str]:
    """The key of a witness, and the note with its line."""
    its_name, private = witness.open_key(folder / "witness.key", name)
    text, _ = witness.take_apart(note)
    return witness.own_key(its_name, private), note + witness.cosignature(its_name, private, text, 1_790_000_000)


def test_a_cosignature_is_taken_from_a_named_witness_over_our_own_checkpoint_and_from_nobody_else(
    demo: Office, public: httpx.Client, tmp_path: Path
) -> None:
    size = sign(demo)
    key, note = cosigned(public.get("/log/checkpoint").text, tmp_path)

    def give(text: str | bytes) -> tuple[int, str]:
        answer = public.post("/log/cosignatures", content=text if isinstance(text, bytes) else text.encode())
        return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else answer.text

    assert give(note) == (403, "witness_unknown")
    demo.db.run_write(lambda conn: office.name_witness(conn, "console", later(3), read_key(key), "县审计局"))
    assert give(note)[0] == 201
    assert give(note)[0] == 201, "the same again is welcome"
    whole = public.get("/log/checkpoint").text
    assert verified(whole, [key])[1] == size
    assert whole.count("audit.example.cn") == 1
    assert "县审计局" in public.get("/log", headers=HTML).text
    for wrong, code in (
        (note.replace(f"\n{size}\n", f"\n{size - 1}\n"), (409, "cosignature_of_none")),
        (note.replace(f"\n{size}\n", "\n999999\n"), (409, "cosignature_of_none")),
        (note[:-8] + "AAAA" + note[-4:], (400, "cosignature_bad")),
        ("x", (400, "note_bad")),
        ("", (400, "note_bad")),
        (b"\xff\xfe", (400, "note_bad")),
    ):
        assert give(wrong) == code, wrong
    assert give("x" * 70_000)[0] == 413
    demo.db.run_write(lambda conn: office.end_witness(conn, "console", later(4), "audit.example.cn", "换人"))
    assert give(note) == (403, "witness_unknown")
    assert verified(public.get("/log/checkpoint").text, [key])[1] == size, "what was signed stays"


def test_the_steering_group_erases_a_detail_and_the_tree_stays(demo: Office, public: httpx.Client) -> None:
    size = sign(demo)
    root = json_of(public, "/log/inclusion", index=0, size=size)["root"]
    trail = tables.trail.c
    with demo.db.read() as conn:
        n = conn.scalar(sa.select(sa.func.max(trail.n)).where(trail.detail.is_not(None)))
    for who, code in (("auditor", 403), ("admin", 403), ("principal", 403)):
        assert demo.client(who).post(f"/office/trail/{n}/erase", data={"reason": REASON}).status_code == code
    steering = demo.client("steering")
    assert steering.post(f"/office/trail/{n}/erase", data={"reason": ""}).status_code == 422
    assert steering.post("/office/trail/999999/erase", data={"reason": REASON}).status_code == 404
    assert "清除细节" in steering.get(f"/office/trail/{n}", headers=HTML).text
    assert steering.post(f"/office/trail/{n}/erase", data={"reason": REASON}).is_redirect
    again = steering.post(f"/office/trail/{n}/erase", data={"reason": REASON})
    assert (again.status_code, again.json()["code"]) == (409, "entry_without_detail")
    page = steering.get(f"/office/trail/{n}", headers=HTML).text
    assert "细节已依法删除" in page
    assert "清除这一条的细节" not in page
    with demo.db.read() as conn:
        entry = conn.execute(sa.select(tables.trail).where(trail.n == n)).one()
        act = conn.execute(sa.select(tables.trail).where(trail.act == "trail.erase")).one()
    assert (entry.before, entry.after, entry.detail, entry.salt) == (None, None, None, b"")
    assert (act.actor, act.object) == ("steering", f"entry:{n}")
    assert REASON.encode() in act.detail
    assert json_of(public, "/log/inclusion", index=0, size=size)["root"] == root
    assert steering.post(f"/office/trail/{act.n}/erase", data={"reason": REASON}).status_code == 404
    with demo.db.read() as conn:
        taken = conn.scalar(sa.select(sa.func.max(trail.n)).where(trail.act == "op.set"))
    assert "清除这一条的细节" not in steering.get(f"/office/trail/{taken}", headers=HTML).text
    vouching = steering.post(f"/office/trail/{taken}/erase", data={"reason": REASON})
    assert (vouching.status_code, vouching.json()["code"]) == (409, "entry_vouches")


def test_the_office_watches_what_is_signed_who_countersigns_and_every_key(
    demo: Office, public: httpx.Client, tmp_path: Path
) -> None:
    sign(demo, hours=5)
    key, note = cosigned(public.get("/log/checkpoint").text, tmp_path, "office.example.cn")
    demo.db.run_write(lambda conn: office.name_witness(conn, "console", later(5), read_key(key), "县纪委监委"))
    assert "还没有加签" in demo.client("auditor").get("/office/log", headers=HTML).text
    assert public.post("/log/cosignatures", content=note.encode()).status_code == 201
    log = office.Log(demo.db, demo.running.data / "keys", demo.running.url)
    newest = log.change_key(later(6), "console", "每年更换")
    page = demo.client("steering").get("/office/log", headers=HTML).text
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    signed = next(row for row in rows if note.split("\n")[1] in row and "县纪委监委" in row)
    assert "县纪委监委" in signed
    assert any(str(newest.size) in row and "还没有人加签" in row for row in rows)
    assert any("旧密钥作保" in row and "现用" in row for row in rows)
    assert any("第一把密钥" in row for row in rows)
    for name, sha256 in ((name, item.sha256) for name, item in programs().items()):
        assert f'href="/log/{name}"' in page
        assert sha256 in page


@pytest.mark.parametrize("who", ["clerk", "head", "legal", "principal", "admin", "li"])
def test_whoever_does_not_watch_the_trail_does_not_watch_the_log(demo: Office, who: str) -> None:
    assert demo.client(who).get("/office/log", headers=HTML).status_code == 403


def test_the_server_made_its_key_and_a_first_checkpoint_when_it_started(demo: Office) -> None:
    assert open_signer(demo.running.data / "keys").newest
    with demo.db.read() as conn:
        assert list(conn.scalars(sa.select(tables.log_checkpoint.c.size)))
