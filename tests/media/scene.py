"""A visit with its crew in the small bureau, phones that send files for it, and tus spoken by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
from typing import Any

import httpx
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from server.store import tables
from server.store.session import Database, open_database
from tests.running import Running
from tests.subjects import row_of

VISIT = "01930000-0000-7000-8000-000000000001"
ELSEWHERE = "01930000-0000-7000-8000-000000000002"
PART = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}


def database_of(server: Running) -> Database:
    """The database that this server runs on, opened beside it."""
    return open_database(server.environment.get("SUIJIAN_DATABASE_URL") or f"sqlite:///{server.data / 'suijian.db'}")


def dispatch(db: Database) -> None:
    """Two visits of one unit: `VISIT` (li leads, zhang is a member, wang was removed) and `ELSEWHERE` (zhao's)."""
    with db.write() as conn:
        conn.execute(sa.insert(tables.subject).values(row_of()))
        conn.execute(sa.insert(tables.template).values(sha256="0" * 64, title="t", body=b"{}"))
        conn.execute(sa.insert(tables.visit), [_visit(VISIT), _visit(ELSEWHERE)])
        conn.execute(
            sa.insert(tables.visit_crew),
            [
                {"visit_id": visit, "officer_id": officer, "role": role, "removed_n": 3 if role == "removed" else None}
                for visit, officer, role in (
                    (VISIT, "li", "leader"),
                    (VISIT, "zhang", "member"),
                    (VISIT, "wang", "removed"),
                    (ELSEWHERE, "zhao", "leader"),
                )
            ],
        )


def name_in_op(db: Database, sha256: str, rid: str, visit: str = VISIT, role: str = "attach") -> None:
    """What intake writes when an op names these bytes."""
    with db.write() as conn:
        conn.execute(sa.insert(tables.media_name).values(visit_id=visit, sha256=sha256, role=role, rid=rid))


def _visit(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "unit_id": "hazchem",
        "subject_id": "s1",
        "subject_name": "示例",
        "subject_uscc": "91411303MAAY4CL12N",
        "tpl": "0" * 64,
        "nonce": "n",
        "window_from": "2026-11-01",
        "window_to": "2026-12-31",
        "dispatched_at": "2026-11-24T00:00:00.000Z",
        "standing": b"{}",
    }


class Phone:
    """An enrolled phone of one person, and what it sends."""

    def __init__(self, server: Running, username: str) -> None:
        self.server = server
        self.http = server.signed_in(username)
        self.rid = secrets.token_hex(16)
        numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
        answer = self.http.post("/api/devices", json={"rid": self.rid, "name": "测试机", "public_key": key})
        answer.raise_for_status()

    def close(self) -> None:
        """End its connections."""
        self.http.close()

    @property
    def token(self) -> str:
        """The Authorization header's value."""
        return str(self.http.headers["authorization"])

    def create(self, size: int, headers: dict[str, str] | None = None, **metadata: Any) -> httpx.Response:
        """A plain creation."""
        said = {"Upload-Length": str(size), "Upload-Metadata": metadata_of(metadata)}
        return self.http.post("/api/media", headers=TUS | said | (headers or {}))

    def send(self, data: bytes, body: Any = None, **metadata: Any) -> httpx.Response:
        """A creation with upload: all of the data, or `body` as its first part."""
        said = {"Upload-Length": str(len(data)), "Upload-Metadata": metadata_of(metadata), "Content-Type": PART}
        return self.http.post("/api/media", headers=TUS | said, content=data if body is None else body)

    def upload(self, data: bytes, visit: str | None = VISIT, **metadata: str) -> str:
        """Send a whole file with its digest; the digest."""
        digest = sha256(data)
        answer = self.send(data, sha256=digest, **({"visit": visit} if visit else {}), **metadata)
        assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(data)))
        return digest

    def patch(self, url: str, offset: int, body: Any, **headers: str) -> httpx.Response:
        """The next part of an upload."""
        said = {"Upload-Offset": str(offset), "Content-Type": PART} | headers
        return self.http.patch(url, headers=TUS | said, content=body)

    def offset(self, url: str) -> int:
        """Where the server says that an upload stands."""
        answer = self.http.head(url, headers=TUS)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])

    def batch(self, files: list[tuple[str, tuple[str, bytes, str]]], visit: str = VISIT) -> httpx.Response:
        """A multipart batch of (name, (file name, bytes, type))."""
        return self.http.post("/api/media/batch", data={"visit": visit}, files=files)


def sha256(data: bytes) -> str:
    """As every name of bytes is written."""
    return hashlib.sha256(data).hexdigest()


def metadata_of(pairs: dict[str, str]) -> str:
    """An Upload-Metadata header."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def picture(width: int = 640, height: int = 480, format: str = "JPEG", **options: Any) -> bytes:
    """A picture that no other test has: noise."""
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), secrets.token_bytes(width * height * 3)).save(out, format, **options)
    return out.getvalue()


def _coordinate(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
