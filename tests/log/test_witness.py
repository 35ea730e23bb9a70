"""A witness in its own process, before a real server in its own: it signs what grew, and names what was rewritten."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import rfc8785
import sqlalchemy as sa

from server.office import log as office
from server.standalone import witness as program
from server.store import checkpoints, log, tables
from server.store.session import Database, open_database
from tests.databases import migrated_file
from tests.log.scene import later, log_of, verified, write
from tests.running import ROOT, Running
from tests.scene import NOW

FILE = ROOT / "server" / "standalone" / "witness.py"


class Office:
    """The server with its own process, and the hands of somebody who may do anything to its database."""

    def __init__(self, running: Running, data: Path) -> None:
        self.running, self.data = running, data
        self.db = open_database(running.environment.get("SUIJIAN_DATABASE_URL", f"sqlite:///{data / 'suijian.db'}"))
        self.log = office.Log(self.db, data / "keys", running.url)

    def newest(self) -> str:
        with self.running.client() as client:
            return client.get("/log/checkpoint").raise_for_status().text

    def suijian(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "server", *arguments],
            cwd=ROOT, env=self.running.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


class Witness:
    """Somebody outside with the one file, in a folder where nothing of the server is."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        shutil.copy(FILE, folder)
        self.folder, self.url = folder, url

    def look(self, *more: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
        given = [url or self.url, "--state", "state.json", "--key", "witness.key", *more]
        return subprocess.run(
            [sys.executable, "-I", "witness.py", *given],
            cwd=self.folder, capture_output=True, text=True, check=False, env={"no_proxy": "*"},
        )  # fmt: skip

    def begin(self, office: Office) -> str:
        """Makes its key, which the bureau then takes; gives it."""
        first = self.look("--name", "audit.example.cn")
        assert first.returncode == 2, first
        assert "audit.example.cn" in first.stderr
        key = first.stdout.split("witness key (hand it to the bureau): ")[1].splitlines()[0]
        named = office.suijian("checkpoint", "--witness", key, "--who", "县审计局")
        assert named.returncode == 0, named.stderr
        return key

    @property
    def state(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "state.json").read_text())
        return found


@pytest.fixture
def bureau(any_server: Running, tmp_path: Path) -> Iterator[Office]:
    found = Office(any_server, tmp_path / "data0")
    write(found.db, 20)
    found.log.sign(NOW)
    yield found
    found.db.close()


def rewrite(db: Database, data: Path, url: str, n: int) -> None:
    """Who holds the server and its key changes an entry, makes its leaf and the tree anew, and signs it all again."""
    sqlite = db.is_sqlite
    with db.write() as conn:
        for table, verb in (("trail", "update"), ("log_checkpoint", "delete"), ("log_cosignature", "delete")):
            drop = f"DROP TRIGGER {table}_no_{verb}" if sqlite else f"ALTER TABLE {table} DISABLE TRIGGER ALL"
            conn.exec_driver_sql(drop)
        leaf = json.loads(conn.scalar(sa.select(tables.trail.c.leaf).where(tables.trail.c.n == n)) or b"")
        told = rfc8785.dumps(leaf | {"actor": "wang"})
        conn.execute(sa.update(tables.trail).where(tables.trail.c.n == n).values(actor="wang", leaf=told))
        conn.execute(sa.delete(tables.log_cosignature))
        sizes = list(conn.scalars(sa.select(tables.log_checkpoint.c.size)))
        conn.execute(sa.delete(tables.log_checkpoint))
        conn.execute(sa.delete(tables.log_tile))
        conn.execute(sa.update(tables.counter).where(tables.counter.c.name == "log").values(value=0))
    assert sizes
    office.Log(db, data / "keys", url).sign(NOW)


def test_a_witness_signs_what_grew_and_refuses_a_tree_that_was_rewritten_and_hashed_again(
    bureau: Office, tmp_path: Path
) -> None:
    witness = Witness(tmp_path / "audit", bureau.running.url)
    key = witness.begin(bureau)
    seen = witness.look()
    assert (seen.returncode, seen.stderr) == (0, ""), seen
    assert f"witnessed: {witness.state['size']} entries, root {witness.state['root']}" in seen.stdout
    size, root = int(str(witness.state["size"])), str(witness.state["root"])
    assert verified(bureau.newest(), [key]) == (witness.state["origin"], size, bytes.fromhex(root))

    write(bureau.db, 300)
    bureau.log.sign(later(1))
    assert witness.look().returncode == 0
    assert witness.state["size"] == size + 300
    with bureau.db.read() as conn:
        (named,) = checkpoints.witnesses(conn)
    assert (named.who, named.last) == ("县审计局", size + 300)

    before = witness.state
    rewrite(bureau.db, bureau.data, bureau.running.url, 7)
    refused = witness.look()
    assert refused.returncode == 1, refused
    assert refused.stdout.startswith(f"REFUSED: The log of {size + 300} entries")
    assert f"Entries up to number {size + 300} were rewritten." in refused.stdout
    write(bureau.db, 11)
    bureau.log.sign(later(2))
    again = witness.look()
    assert (again.returncode, witness.state) == (1, before)
    assert "doesn't begin as" in again.stdout
    assert (witness.folder / "state.json.refused").read_text() == bureau.newest()
    with bureau.running.client() as client:
        assert client.get("/log/keys").json()["witnesses"][0]["last"] is None


# --- a log that says what it likes ------------------------------------------------------------------------------------

Answers = dict[str, tuple[int, str]]


@contextmanager
def speaking(answers: Answers) -> Iterator[str]:
    """A server that says just this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path.partition("?")[0], (404, "{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *given: object) -> None:
            return

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


class Told:
    """A log in a database of its own, and what an honest server would say of it to who saw `first` entries last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "suijian.db").write_bytes(migrated_file())
        self.db = open_database(f"sqlite:///{folder / 'suijian.db'}")
        self.log = log_of(self.db, folder)

    def says(self, first: int = 0) -> Answers:
        made = self.log.sign(NOW)
        with self.db.read() as conn:
            keys = [{"key": one.key, "note": one.note} for one in checkpoints.keys(conn)]
            is_older = 0 < first <= made.size
            path = [step.hex() for step in log.consistency(conn, first, made.size)] if is_older else []
        return {
            "/log/checkpoint": (200, made.note),
            "/log/keys": (200, json.dumps({"keys": keys})),
            "/log/consistency": (200, json.dumps({"path": path})),
            "/log/cosignatures": (201, ""),
        }


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    found = Told(tmp_path / "told")
    write(found.db, 30)
    yield found
    found.db.close()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "audit", "")


def look(witness: Witness, answers: Answers, *more: str) -> tuple[int, str]:
    """The exit code, and what it said."""
    with speaking(answers) as url:
        done = witness.look("--name", "audit.example.cn", *more, url=url)
    return done.returncode, done.stdout + done.stderr


def test_it_signs_again_what_it_saw_and_what_grew(witness: Witness, told: Told) -> None:
    assert look(witness, told.says())[0] == 0
    assert look(witness, told.says(30))[0] == 0
    write(told.db, 5)
    assert look(witness, told.says(30))[0] == 0
    assert witness.state["size"] == 35


def test_it_refuses_a_log_that_became_shorter(witness: Witness, told: Told) -> None:
    shorter = told.says()
    write(told.db, 5)
    assert look(witness, told.says())[0] == 0
    code, said = look(witness, shorter)
    assert code == 1
    assert "The log has 30 entries now; it had 35 when last witnessed. Entries were taken away." in said


def test_it_refuses_the_same_size_with_another_root_and_a_proof_of_something_else(
    witness: Witness, told: Told, tmp_path: Path
) -> None:
    assert look(witness, told.says())[0] == 0
    other = Told(tmp_path / "other")
    shutil.copytree(told.folder / "keys", other.folder / "keys", dirs_exist_ok=True)
    write(other.db, 30)
    code, said = look(witness, other.says())
    assert (code, "doesn't begin as the 30 entries" in said) == (1, True)
    write(other.db, 9)
    assert look(witness, other.says(30))[0] == 1
    write(told.db, 9)
    mixed = other.says(30) | {"/log/consistency": told.says(30)["/log/consistency"]}
    assert look(witness, mixed)[0] == 1
    assert look(witness, told.says(30) | {"/log/consistency": (200, '{"path":[]}')})[0] == 1
    assert witness.state["size"] == 30
    other.db.close()


def test_it_follows_a_key_that_the_old_one_vouches_for_and_no_other(
    witness: Witness, told: Told, tmp_path: Path
) -> None:
    assert look(witness, told.says())[0] == 0
    thief = Told(tmp_path / "thief")
    write(thief.db, 30)
    code, said = look(witness, thief.says())
    assert (code, "isn't signed by the log's key" in said) == (1, True)
    thief.log.change_key(later(1), "console", "x")
    assert look(witness, thief.says())[0] == 1
    stolen = json.loads(thief.says()["/log/keys"][1])["keys"]
    own = {"keys": [json.loads(told.says()["/log/keys"][1])["keys"][0], stolen[1]]}
    code, said = look(witness, thief.says() | {"/log/keys": (200, json.dumps(own))})
    assert (code, "isn't signed by the log's key" in said) == (1, True)
    told.log.change_key(later(1), "console", "每年更换")
    assert look(witness, told.says(30))[0] == 0
    assert len(program.keys_of(witness.state)) == 2
    write(told.db, 1)
    assert look(witness, told.says(31))[0] == 0
    forged = json.loads(told.says(31)["/log/keys"][1])["keys"]
    forged[1]["note"] = None
    fresh = Witness(tmp_path / "fresh", "")
    assert look(fresh, told.says(), "--log-key", forged[0]["key"])[0] == 0
    unvouched = told.says() | {"/log/keys": (200, json.dumps({"keys": forged}))}
    assert look(Witness(tmp_path / "third", ""), unvouched, "--log-key", forged[0]["key"])[0] == 1
    thief.db.close()


def test_it_believes_the_key_that_it_is_told_and_no_other(witness: Witness, told: Told, tmp_path: Path) -> None:
    other = Told(tmp_path / "other")
    key = json.loads(other.says()["/log/keys"][1])["keys"][0]["key"]
    assert look(witness, told.says(), "--log-key", key)[0] == 1
    assert not (witness.folder / "state.json").exists()
    other.db.close()


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/log/checkpoint": (200, "<html>welcome to our network</html>")},
        {"/log/checkpoint": (500, "{}")},
        {"/log/checkpoint": (302, "/elsewhere"), "/elsewhere": (200, "x")},
        {"/log/keys": (200, "[]")},
        {"/log/keys": (200, '{"keys":[{"key":"x","note":null}]}')},
    ],
)
def test_where_nothing_can_be_judged_it_says_so_and_signs_nothing(
    witness: Witness, told: Told, answers: Answers
) -> None:
    code, said = look(witness, told.says() | answers if answers else {})
    assert code == 2
    assert "Traceback" not in said
    assert not (witness.folder / "state.json").exists()


def test_without_its_memory_it_signs_nothing(witness: Witness, told: Told) -> None:
    assert look(witness, told.says())[0] == 0
    (witness.folder / "state.json").write_text("{")
    code, said = look(witness, told.says())
    assert (code, "without it nothing can be compared" in said) == (2, True)


def test_it_can_give_its_signature_to_a_file_instead(witness: Witness, told: Told) -> None:
    answers = told.says()
    del answers["/log/cosignatures"]
    assert look(witness, answers, "--keep", "--out", "signed.txt")[0] == 0
    note = (witness.folder / "signed.txt").read_text()
    name, private = program.open_key(witness.folder / "witness.key", None)
    assert verified(note, [program.own_key(name, private)])[1] == 30
    assert note.startswith(answers["/log/checkpoint"][1])
