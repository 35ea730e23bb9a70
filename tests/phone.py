"""A phone in Python: signs in, enrols, writes chained and signed ops, and exchanges them over real HTTP."""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
import weakref
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from server.sync import ops
from server.sync.pen import Pen

JSON = dict[str, Any]
BATCH = 200
_SESSIONS: dict[tuple[str, str], JSON] = {}


def forget_sessions(base_url: str) -> None:
    """From now on everybody signs in anew at this server."""
    for door in [door for door in _SESSIONS if door[0].rstrip("/") == base_url]:
        del _SESSIONS[door]


class Phone:
    """One officer's phone. `queue` holds what the server hasn't acknowledged with a verdict yet, by visit."""

    def __init__(self, base_url: str, username: str, password: str = "suijian-demo", *, rid: str | None = None) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=60, trust_env=False)
        weakref.finalize(self, self.http.close)
        self.username, self.password = username, password
        self.pen = Pen(rid or secrets.token_hex(16), username)
        self.officer = username
        self.epoch: str | None = None
        self.rev = 0
        self.only: str | None = None  # where a test looks at one visit among many
        self.assignments: dict[str, JSON] = {}
        self.cursors: dict[str, int] = {}
        self.entries: dict[str, dict[int, JSON]] = {}  # visit -> n -> entry, own ops whole
        self.queue: dict[str, list[bytes]] = {}
        self.own: dict[str, bytes] = {}  # op id -> body
        self.verdicts: dict[str, tuple[str, str | None]] = {}
        self.last: JSON = {}
        self.received: dict[str, dict[str, dict[int, bytes]]] = {}  # visit -> replica -> seq -> body, of all epochs
        self.carry: set[str] = set()  # visits of which the server, restored from a backup, is to be asked what it has

    # --- the door -----------------------------------------------------------------------------------------------------

    def sign_in(self) -> Phone:
        """Signs in with the password, once for all phones of an officer at one server: hashing it takes its time."""
        door = (str(self.http.base_url), self.username)
        if door not in _SESSIONS:
            answer = self.http.post("/api/session", json={"username": self.username, "password": self.password})
            answer.raise_for_status()
            _SESSIONS[door] = answer.json()
        given = _SESSIONS[door]
        self.officer = self.pen.officer = given["officer"]["id"]
        self.http.headers["Authorization"] = f"Bearer {given['token']}"
        return self

    def enrol(self, name: str = "phone") -> Phone:
        """Enrols this replica with its key."""
        body = {"rid": self.pen.rid, "name": name, "public_key": self.pen.public_jwk}
        answer = self.http.post("/api/devices", json=body)
        answer.raise_for_status()
        self.epoch = self.epoch or answer.json()["epoch"]  # of another one it hears in an exchange
        return self

    def start(self, only: str | None = None) -> Phone:
        """Signs in, enrols, and fetches the assignments and all ops of their visits, or of `only` one of them."""
        self.only = only
        self.sign_in().enrol()
        self.sync()
        self.sync()
        return self

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, visit: str, kind: str, path: Sequence[str], val: Any, **more: Any) -> str:
        """Writes an op into the queue and gives its id."""
        tpl = more.pop("tpl", None) or self.assignments.get(visit, {}).get("tpl") or "0" * 64
        body = self.pen.write(visit, kind, path, val, tpl=tpl, at=more.pop("at", datetime.now(UTC)), **more)
        seq = self.pen.chains[visit][0]
        self.queue.setdefault(visit, []).append(body)
        self.own[f"{visit}/{self.pen.rid}:{seq}"] = body
        return f"{self.pen.rid}:{seq}"

    def set(self, visit: str, path: Sequence[str], val: Any, base: Sequence[str] = (), **more: Any) -> str:
        """Writes a `set`."""
        return self.write(visit, "set", path, val, base=base, **more)

    def attach(self, visit: str, data: bytes, target: str = "visit", mime: str = "image/jpeg", **more: Any) -> str:
        """Writes an `attach` of these bytes."""
        val = {"size": len(data), "mime": mime, "for": target, "w": None, "h": None,
               "taken": "2026-11-24T10:00:00+08:00", "source": "camera"}  # fmt: skip
        return self.write(visit, "attach", ["media", hashlib.sha256(data).hexdigest()], val, **more)

    # --- the exchange -------------------------------------------------------------------------------------------------

    def request(self, push: Sequence[JSON] | None = None, **more: Any) -> JSON:
        """The body of an exchange with what is queued, and the cursors."""
        if push is None:
            push = [
                {"visit": visit, "ops": [msgspec.Raw(body) for body in bodies[:BATCH]]}
                for visit, bodies in self.queue.items()
                if bodies
            ]
        asked = {
            "proto": 1,
            "epoch": self.epoch,
            "rid": self.pen.rid,
            "client": {"app": "1.0.0", "schema": 1},
            "push": list(push),
            "pull": {visit: self.cursors.get(visit, 0) for visit in self.assignments},
            "assignments_rev": self.rev,
            "pending": {"ops": sum(map(len, self.queue.values())), "media": 0, "bytes": 0, "oldest": None},
            "have_media": [],
        }
        return {**asked, **more}

    def post(self, body: bytes | JSON, *, packed: bool = True) -> httpx.Response:
        """Sends a body as it is."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        if packed and len(raw) > 1024:
            raw = gzip.compress(raw, 6)
            headers["Content-Encoding"] = "gzip"
        return self.http.post("/api/sync", content=raw, headers=headers)

    def sync(self, push: Sequence[JSON] | None = None, **more: Any) -> JSON:
        """One round trip; takes in what came of it."""
        answer = self.post(self.request(push, **more))
        answer.raise_for_status()
        self.take_in(answer.json())
        return self.last

    def return_all(self) -> None:
        """After another epoch was heard of: asks in one round trip what the server has, sends in the next the rest."""
        while self.carry:
            visit = self.carry.pop()
            rids = sorted(self.received[visit], key=lambda rid: not rid.startswith("srv"))
            asked = self.sync([{"visit": visit, "rid": rid, "ops": []} for rid in rids])
            acked = {result["rid"]: result["acked"] for result in asked["results"]}
            self.sync([{"visit": visit, "rid": rid, "ops": self._after(visit, rid, acked[rid])} for rid in rids])

    def _after(self, visit: str, rid: str, acked: int) -> list[msgspec.Raw]:
        return [msgspec.Raw(body) for seq, body in sorted(self.received[visit][rid].items()) if seq > acked]

    def drain(self, most: int = 20) -> None:
        """Exchanges until nothing is queued and nothing more is to be had."""
        for _ in range(most):
            self.sync()
            if not any(self.queue.values()) and not self.last["more"] and not self.last["heads"]:
                return

    def take_in(self, answer: JSON) -> None:
        """Keeps what an answer brought: verdicts, ops, cursors, assignments."""
        self.last = answer
        if self.epoch not in (None, answer["epoch"]):
            self._begin_epoch()
        self.epoch = answer["epoch"]
        for result in answer.get("results") or []:
            self._keep_verdicts(result)
        for visit, entries in (answer.get("ops") or {}).items():
            for entry in entries:
                self._keep_entry(visit, entry)
        given = answer.get("assignments")
        if given:
            self.rev = given["rev"]
            self.assignments = {it["id"]: it for it in given["visits"] if self.only in (None, it["id"])}

    def _begin_epoch(self) -> None:
        """A backup was restored: the numbers begin anew, and nothing is sure to be there."""
        self.rev = 0
        self.cursors.clear()
        self.entries.clear()
        self.carry = set(self.received)

    def _keep_verdicts(self, result: JSON) -> None:
        if result["rid"] != self.pen.rid:
            return
        done = set()
        for seq, verdict, reason in result["verdicts"]:
            self.verdicts[f"{result['visit']}/{self.pen.rid}:{seq}"] = (verdict, reason)
            if verdict != "held":
                done.add(seq)
        queue = self.queue.get(result["visit"], [])
        self.queue[result["visit"]] = [body for body in queue if ops.read(body).seq not in done]

    def _keep_entry(self, visit: str, entry: JSON) -> None:
        op = entry.get("op")
        if op is None and "id" in entry:
            op = json.loads(self.own[f"{visit}/{entry['id']}"])
        self.entries.setdefault(visit, {})[entry["n"]] = {**entry, "op": op}
        self.cursors[visit] = max(self.cursors.get(visit, 0), entry["n"])
        rid, seq = (op["rid"], op["seq"]) if op else (entry["rid"], entry["seq"])
        self.pen.receive(visit, rid, seq)
        if op:
            self.received.setdefault(visit, {}).setdefault(rid, {})[seq] = msgspec.json.encode(op)

    def verdict(self, visit: str, id_: str) -> tuple[str, str | None]:
        """The verdict on an own op."""
        return self.verdicts[f"{visit}/{id_}"]

    # --- other doors --------------------------------------------------------------------------------------------------

    def view(self, visit: str) -> JSON:
        """The server's view of a visit."""
        answer = self.http.get(f"/api/visits/{visit}/view")
        answer.raise_for_status()
        found: JSON = answer.json()
        return found

    def upload(self, visit: str, data: bytes, mime: str = "image/png") -> str:
        """Brings bytes in one multipart batch; their hash."""
        digest = hashlib.sha256(data).hexdigest()
        answer = self.http.post("/api/media/batch", data={"visit": visit}, files={digest: ("blob", data, mime)})
        answer.raise_for_status()
        return digest

    # --- signing ------------------------------------------------------------------------------------------------------

    def cut(self, visit: str) -> dict[str, int]:
        """All that this phone has of a visit, its own ops included."""
        last = self.pen.chains.get(visit, (0, ""))[0]
        own = {self.pen.rid: last} if last else {}
        return {**self.pen.received.get(visit, {}), **own}

    def without_effect(self, visit: str) -> list[str]:
        """The ops that this phone has received and that have no effect now: quarantined, late, or ruled out."""
        standing: dict[str, str] = {}
        for _, entry in sorted(self.entries.get(visit, {}).items()):
            op = entry["op"]
            if op is None:
                continue
            standing[f"{op['rid']}:{op['seq']}"] = entry["verdict"]
            if op["kind"] == "admit":
                standing[op["path"][1]] = "ok"
            elif op["kind"] == "rule":
                standing[op["path"][1]] = op["val"]["verdict"]
        return [id_ for id_, verdict in standing.items() if verdict != "ok"]

    def sign(self, visit: str, digest: str, role: str, signer: str | None = None, **more: Any) -> str:
        """Signs a digest as shown now."""
        refused = more.pop("refused", None)
        excluded = sorted(more.pop("excluded", self.without_effect(visit)))
        val = {"digest": digest, "cut": self.cut(visit), "excluded": excluded, "role": role,
               "image": more.pop("image", None), "strokes": None, "refused": refused}  # fmt: skip
        return self.write(visit, "sign", ["sign", signer or self.officer], val, **more)

    def propose(self, visit: str, digest: str, result: str, signatures: Sequence[str], **more: Any) -> str:
        """Proposes final."""
        val = {"digest": digest, "cut": self.cut(visit), "result": result, "signatures": list(signatures)}
        return self.write(visit, "propose_final", ["final"], val, **more)
