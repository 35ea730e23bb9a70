"""A bureau for measuring: officers with phones, visits dispatched to them, and all that they will send, prepared."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa

from benchmarks.wire import Request
from server.demo.items import items
from server.domain.instant import stamp
from server.store import people, tables
from server.store.migrate import EPOCH, meta_of, migrate
from server.store.session import Database, open_database
from server.sync import acts, ops
from server.sync.keys import Keys
from server.sync.pen import Pen
from tests.dispatching import keys_of
from tests.subjects import row_of

ANSWERS, FINDINGS, SIGNATURES, PHOTOS = 60, 8, 3, 10
PHOTO_BYTES, SIGNATURE_BYTES = 200_000, 12_000
WINDOW = ("2026-01-01", "2026-12-31")
NOTES = ("消防通道被成品堆占，宽度不足", "危险化学品未按特性分区储存", "应急照明灯三处不亮", "配电箱前堆放杂物")
NOISE = os.urandom(8 << 20)


@dataclass
class Phone:
    """One officer's phone: its token, its pen, where it stands."""

    officer: str
    token: str
    pen: Pen
    rev: int = 0  # of its assignments, as it last got them
    cursors: dict[str, int] = field(default_factory=dict)


@dataclass
class Prepared:
    """What one phone sends of one visit: the records, the signature images, the photos."""

    phone: Phone
    visit: str
    records: Request
    batch: Request
    photos: list[Request]
    one_batch: Request
    hashes: list[str]


class Bureau:
    """The database of the measurement, filled beside the server."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.db: Database = open_database(f"sqlite:///{data / 'suijian.db'}", data)
        migrate(self.db)
        self.keys: Keys = keys_of(self.db, data / "keys")
        with self.db.read() as conn:
            self.epoch = str(meta_of(conn, EPOCH))
        self.now = datetime.now(UTC)
        self._officers = 0
        self._templates = self._prepare()

    def phones(self, count: int) -> list[Phone]:
        """New officers, each signed in and enrolled with a phone."""
        made = []
        with self.db.write() as conn:
            for _ in range(count):
                officer = f"o{self._officers:04}"
                self._officers += 1
                made.append(self._phone(conn, officer))
        return made

    def dispatch(self, crew: Sequence[Phone], count: int) -> list[str]:
        """New visits of this crew, the first one leading."""
        ids = [_uuid7() for _ in range(count)]

        def write(conn: sa.Connection) -> None:
            for place, visit in enumerate(ids):
                acts.open_visit(
                    conn, self.keys, visit_id=visit, unit_id="u1", subject_id="s1",
                    subject=("宛城区溢彩漆料经营部", "91411303MA00000010"),
                    tpl=self._templates[place % len(self._templates)][0], window=WINDOW, tasks=["t1"],
                    crew=[(phone.officer, "member" if at else "leader") for at, phone in enumerate(crew)],
                    now=self.now, actor="clerk",
                )  # fmt: skip

        self.db.run_write(write)
        for phone in crew:
            phone.rev = self.rev_of(phone)
            phone.cursors |= dict.fromkeys(ids, len(crew))
        return ids

    def prepare(self, phone: Phone, visit: str, photos: int = PHOTOS) -> Prepared:
        """Everything that a phone recorded of a visit, ready to be sent."""
        images = [_bytes(SIGNATURE_BYTES) for _ in range(SIGNATURES)]
        pictures = [_bytes(PHOTO_BYTES) for _ in range(photos)]
        bodies = self._record(phone, visit, [_sha(one) for one in images], [_sha(one) for one in pictures])
        return Prepared(
            phone,
            visit,
            self._push(phone, visit, bodies),
            batch(phone, visit, images, "image/png"),
            [tus(phone, visit, one) for one in pictures],
            batch(phone, visit, images + pictures, "image/jpeg"),
            [_sha(one) for one in images + pictures],
        )

    def change(self, phone: Phone, visit: str, count: int) -> Request:
        """Some more answers."""
        bodies = [
            self._write(phone, visit, "set", ["answer", self._point(visit, at), "note"], f"复查：{NOTES[at % 4]}")
            for at in range(count)
        ]
        return self._push(phone, visit, bodies)

    def exchange(self, phone: Phone, **more: object) -> Request:
        """One exchange, packed as phones pack it."""
        asked = {
            "proto": 1, "epoch": self.epoch, "rid": phone.pen.rid, "client": {"app": "1.0.0", "schema": 1}, "push": [],
            "pull": phone.cursors, "assignments_rev": phone.rev,
            "pending": {"ops": 0, "media": 0, "bytes": 0, "oldest": None},
            "have_media": [],
        } | more  # fmt: skip
        body = msgspec.json.encode(asked)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
        if len(body) > 1024:
            body = gzip.compress(body, 6)
            headers["Content-Encoding"] = "gzip"
        return Request("POST", "/api/sync", phone.token, headers, body)

    def templates(self, phone: Phone) -> list[Request]:
        """The checklists, as a phone fetches them once."""
        return [
            Request("GET", f"/api/templates/{sha256}", phone.token, {"Accept-Encoding": "gzip"})
            for sha256, _ in self._templates
        ]

    def head_of(self, visit: str) -> int:
        """The `n` of a visit's newest op."""
        with self.db.read() as conn:
            head = conn.scalar(sa.select(tables.visit.c.head).where(tables.visit.c.id == visit))
        return int(head or 0)

    def stored(self, visits: Sequence[str]) -> tuple[int, int]:
        """How many ops of phones, and how many files, are here for these visits."""
        op, media = tables.op, tables.media
        with self.db.read() as conn:
            records = conn.scalar(
                sa.select(sa.func.count()).select_from(op).where(op.c.visit_id.in_(visits), ~op.c.rid.like("srv%"))
            )
            files = conn.scalar(sa.select(sa.func.count()).select_from(media).where(media.c.visit_id.in_(visits)))
        return int(records or 0), int(files or 0)

    # --- how it is made -----------------------------------------------------------------------------------------------

    def rev_of(self, phone: Phone) -> int:
        """The revision of an officer's assignments."""
        with self.db.read() as conn:
            rev = conn.scalar(
                sa.select(tables.assignments.c.rev).where(tables.assignments.c.officer_id == phone.officer)
            )
        return int(rev or 0)

    def _push(self, phone: Phone, visit: str, bodies: Sequence[bytes]) -> Request:
        """The exchange that brings these ops; the phone's next one will know that they are there."""
        made = self.exchange(phone, push=[{"visit": visit, "ops": [msgspec.Raw(body) for body in bodies]}])
        phone.cursors[visit] += len(bodies)
        return made

    def _record(self, phone: Phone, visit: str, images: Sequence[str], pictures: Sequence[str]) -> list[bytes]:
        made = [
            self._write(
                phone, visit, "set", ["answer", self._point(visit, at), "verdict"], "fail" if at % 8 == 7 else "pass"
            )
            for at in range(ANSWERS)
        ]
        rows = []
        for at in range(FINDINGS):
            first = {"text": f"{NOTES[at % 4]}（第{at + 1}处）", "point": self._point(visit, at), "severity": "general",
                     "measure": "deadline", "due": "2026-12-20", "place": f"{at + 1}号库东侧"}  # fmt: skip
            made.append(self._write(phone, visit, "add", ["finding"], first))
            rows.append(f"{phone.pen.rid}:{phone.pen.chains[visit][0]}")
        for at, digest in enumerate(pictures):
            val = {"size": PHOTO_BYTES, "mime": "image/jpeg", "for": f"finding:{rows[at % FINDINGS]}",
                   "w": 1600, "h": 1200,
                   "taken": "2026-11-24T10:00:00+08:00", "source": "camera"}  # fmt: skip
            made.append(self._write(phone, visit, "attach", ["media", digest], val))
        cut = {phone.pen.rid: phone.pen.chains[visit][0]}
        for signer, role, image in zip(
            (phone.officer, "subject", "witness"), ("leader", "subject", "witness"), images, strict=True
        ):
            val = {
                "digest": "0" * 64,
                "cut": cut,
                "excluded": [],
                "role": role,
                "image": image,
                "strokes": None,
                "refused": None,
            }
            made.append(self._write(phone, visit, "sign", ["sign", signer], val))
        return made

    def _write(self, phone: Phone, visit: str, kind: str, path: list[str], val: object) -> bytes:
        return phone.pen.write(visit, kind, path, val, tpl=self._template(visit)[0], at=datetime.now(UTC))

    def _template(self, visit: str) -> tuple[str, list[str]]:
        if visit not in self._of_visit:
            with self.db.read() as conn:
                tpl = conn.scalar(sa.select(tables.visit.c.tpl).where(tables.visit.c.id == visit))
            self._of_visit[visit] = next(one for one in self._templates if one[0] == tpl)
        return self._of_visit[visit]

    def _point(self, visit: str, at: int) -> str:
        points = self._template(visit)[1]
        return points[at % len(points)]

    def _phone(self, conn: sa.Connection, officer: str) -> Phone:
        pen = Pen(secrets.token_hex(16), officer)
        token, at = secrets.token_urlsafe(32), stamp(self.now)
        conn.execute(
            sa.insert(tables.officer).values(
                id=officer, name=f"检查员{officer}", sex="female", unit_id="u1", certificate=officer,
                certificate_from="2024-01-01", certificate_to="2029-12-31", domains=["hazardous_chemicals"],
            )
        )  # fmt: skip
        conn.execute(
            sa.insert(tables.account).values(
                id=officer, username=officer, name=officer, unit_id="u1", roles=["officer"], password_hash="",
                officer_id=officer, is_demo=False,
            )
        )  # fmt: skip
        conn.execute(sa.insert(tables.assignments).values(officer_id=officer, rev=1))
        conn.execute(
            sa.insert(tables.device).values(
                rid=pen.rid, account_id=officer, name="phone", public_key=pen.public_jwk, enrolled_at=at
            )
        )
        conn.execute(
            sa.insert(tables.session).values(
                token_hash=people.token_hash_of(token), account_id=officer, rid=pen.rid, created_at=at, seen_at=at,
                expires_at=stamp(self.now + timedelta(days=30)),
            )
        )  # fmt: skip
        return Phone(officer, token, pen)

    def _prepare(self) -> list[tuple[str, list[str]]]:
        """The unit, the subject, and the demo's four checklists."""
        self._of_visit: dict[str, tuple[str, list[str]]] = {}
        made = []
        with self.db.write() as conn:
            conn.execute(sa.insert(tables.unit).values(id="u1", name="危化股", kind="section"))
            conn.execute(sa.insert(tables.subject).values(row_of(name="宛城区溢彩漆料经营部")))
            conn.execute(sa.insert(tables.task).values(_task()))
            for item in items():
                if not item.checklist:
                    continue
                conn.execute(sa.insert(tables.item).values(_item(item.id, item.name)))
                conn.execute(sa.insert(tables.task_item).values(task_id="t1", item_id=item.id))
                points = msgspec.to_builtins(item.checklist)
                body = ops.canonical(
                    {"t": "checklist/1", "title": item.name,
                     "items": [{"id": item.id, "name": item.name, "judged": "findings", "points": points}]}
                )  # fmt: skip
                conn.execute(sa.insert(tables.template).values(sha256=_sha(body), title=item.name, body=body))
                made.append((_sha(body), [point["id"] for point in points]))
        return made


def tus(phone: Phone, visit: str, data: bytes) -> Request:
    """A photo as the field app sends it: creation with upload."""
    said = {"sha256": _sha(data), "visit": visit, "mime": "image/jpeg"}
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": str(len(data)),
        "Upload-Metadata": pairs,
        "Content-Type": "application/offset+octet-stream",
    }
    return Request("POST", "/api/media", phone.token, headers, data)


def batch(phone: Phone, visit: str, files: Sequence[bytes], mime: str) -> Request:
    """Files in one multipart body."""
    edge = secrets.token_hex(12)
    lines = [f'--{edge}\r\nContent-Disposition: form-data; name="visit"\r\n\r\n{visit}\r\n'.encode()]
    for data in files:
        head = f'Content-Disposition: form-data; name="{_sha(data)}"; filename="blob"\r\nContent-Type: {mime}'
        lines += [f"--{edge}\r\n{head}\r\n\r\n".encode(), data, b"\r\n"]
    body = b"".join([*lines, f"--{edge}--\r\n".encode()])
    return Request(
        "POST", "/api/media/batch", phone.token, {"Content-Type": f"multipart/form-data; boundary={edge}"}, body
    )


def _bytes(length: int) -> bytes:
    """Bytes that nothing packs and nobody else has: a piece of noise behind 32 bytes of its own."""
    start = secrets.randbelow(len(NOISE) - length)
    return os.urandom(32) + NOISE[start : start + length - 32]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _uuid7() -> str:
    text = f"{int(datetime.now(UTC).timestamp() * 1000):012x}7{secrets.token_hex(2)[1:]}8{secrets.token_hex(8)[1:]}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _task() -> dict[str, object]:
    return {
        "id": "t1", "name": "t1", "unit_id": "u1", "draw": "undirected", "window_from": WINDOW[0],
        "window_to": WINDOW[1], "due_on": "2026-12-31",
    }  # fmt: skip


def _item(id: str, name: str) -> dict[str, object]:
    return {
        "id": id, "name": name, "object": "x", "category": "key", "method": "site", "level": "district",
        "sector": "hazardous_chemicals", "judged": "findings", "basis": [], "state": "released", "needs_review": False,
        "checklist": [], "phrases": [],
    }  # fmt: skip
