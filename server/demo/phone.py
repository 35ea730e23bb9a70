"""A phone of the demo: it makes signed operations as the field app does, and exchanges them through the real intake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from server.demo.pictures import Photo, photo, signature
from server.store.files import FileStore
from server.store.people import Person
from server.store.session import Database
from server.sync import media
from server.sync.exchange import exchange
from server.sync.fold import Frame, Subject, content_of, digest_of, fold
from server.sync.keys import Keys
from server.sync.ops import Op
from server.sync.pen import Pen

BEIJING: Final = timezone(timedelta(hours=8))


class Server(NamedTuple):
    """What a phone talks to: the parts of the server that its requests would reach."""

    db: Database
    files: FileStore
    keys: Keys


class Page:
    """What a phone holds of one visit."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self.card = card
        self.ops: dict[str, Op] = {}
        self.without_effect: set[str] = set()
        self.cursor = 0
        self.waiting: list[tuple[int, bytes]] = []
        self.pictures: list[tuple[bytes, str, str | None]] = []
        self.crew: dict[str, str] = {}
        self.round = 1

    @property
    def effective(self) -> set[str]:
        """The ids of the ops that have effect, as far as this phone knows."""
        return self.ops.keys() - self.without_effect

    def heads(self, path: list[str]) -> list[str]:
        """The heads of a register as this phone shows it."""
        register = fold(self.ops.values(), self.effective).registers.get(tuple(path))
        return sorted(op.id for op in register.heads) if register else []

    def digest(self) -> str:
        """The digest of the content as this phone shows it."""
        members = [officer for officer, role in self.crew.items() if role != "removed"]
        leader = next(officer for officer, role in self.crew.items() if role == "leader")
        subject = Subject(self.card["subject"]["name"], self.card["subject"]["uscc"])
        folded = fold(self.ops.values(), self.effective)
        frame = Frame(self.card["id"], self.card["tpl"], subject)
        return digest_of(content_of(folded, frame, members, leader, self.round))


class Phone:
    """One officer's enrolled phone. `clock` is what its own clock shows; the scenes move it."""

    def __init__(self, server: Server, person: Person, seed: int, clock: datetime) -> None:
        rng = Random(seed)
        self.server = server
        self.person = person
        private = ec.derive_private_key(rng.getrandbits(250) + 1, ec.SECP256R1())
        self.pen = Pen(rng.randbytes(16).hex(), person.id, private)
        self.clock = clock
        self.pages: dict[str, Page] = {}
        self._epoch: str | None = None
        self._rev = 0
        self._rng = rng

    # --- what its owner does --------------------------------------------------------------------------------------

    def set(self, visit: str, path: str, value: object) -> str:
        """Sets a field, such as "answer/hc-1.01/verdict", over what the phone shows of it."""
        return self._act(visit, "set", path.split("/"), value)

    def act(self, visit: str, kind: str, path: list[str], value: object, **envelope: object) -> str:
        """Any other operation; its id."""
        return self._act(visit, kind, path, value, **envelope)

    def shoot(self, visit: str, of: str, scene: str, geo: dict[str, int], *, is_sent: bool = True) -> str:
        """Takes a photo of a scene for the visit, a point or a finding; its digest. Unsent bytes stay on the phone."""
        taken = photo(scene, self._rng.getrandbits(32))
        digest = hashlib.sha256(taken.jpeg).hexdigest()
        if is_sent:
            self._keep(visit, taken.jpeg, "image/jpeg", None)
            self._keep(visit, taken.thumb, "image/jpeg", digest)
        self._act(visit, "attach", ["media", digest], self._attached(taken, of), geo=geo)
        return digest

    def sign(self, visit: str, signer: str, role: str, *, refused: str | None = None, via: bool = False) -> str:
        """Signs what the phone shows, for the owner or, on his phone, for somebody else; the op's id."""
        page = self.pages[visit]
        drawn = None if refused is not None else signature(self._rng.getrandbits(32))
        value = {
            "digest": page.digest(),
            "cut": self._cut(visit),
            "excluded": sorted(page.without_effect),
            "role": role,
            "image": drawn and self._keep(visit, drawn.png, "image/png", None),
            "strokes": drawn and self._keep(visit, drawn.strokes, "application/json", None),
            "refused": refused,
        }
        borrowed = {"author": signer, "via": self.person.id} if via else {}
        return self._act(visit, "sign", ["sign", signer], value, **borrowed)

    def propose(self, visit: str, result: str, signatures: list[str]) -> str:
        """Proposes final over what the phone shows."""
        page = self.pages[visit]
        value = {"digest": page.digest(), "cut": self._cut(visit), "result": result, "signatures": sorted(signatures)}
        return self._act(visit, "propose_final", ["final"], value)

    # --- exchange -------------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """One exchange, pictures first; the server's clock shows what the phone's does."""
        for visit, page in self.pages.items():
            self._upload(visit, page)
        more = True
        while more:
            answer = self._exchange()
            self._epoch = answer["epoch"]
            self._take_assignments(answer.get("assignments"))
            for result in answer.get("results") or []:
                self._take_verdicts(result)
            for visit, entries in (answer.get("ops") or {}).items():
                for entry in entries:
                    self._take(self.pages[visit], entry)
            more = bool(answer.get("more"))

    def _exchange(self) -> dict[str, Any]:
        push = [
            {"visit": visit, "ops": [msgspec.Raw(body) for _, body in page.waiting]}
            for visit, page in self.pages.items()
            if page.waiting
        ]
        request = {
            "proto": 1,
            "epoch": self._epoch,
            "rid": self.pen.rid,
            "client": {"app": "1.0.0", "schema": 1},
            "push": push,
            "pull": {visit: page.cursor for visit, page in self.pages.items()},
            "assignments_rev": self._rev,
            "pending": {"ops": 0, "media": 0, "bytes": 0, "oldest": None},
            "have_media": [],
        }
        body = msgspec.json.encode(request)
        answer: dict[str, Any] = json.loads(exchange(self.server.db, self.server.keys, self.person, body, self.clock))
        return answer

    def _take_assignments(self, assignments: Mapping[str, Any] | None) -> None:
        if assignments is None:
            return
        self._rev = assignments["rev"]
        for card in assignments["visits"]:
            if card["id"] in self.pages:
                self.pages[card["id"]].card = card
            else:
                self.pages[card["id"]] = Page(card)

    def _take_verdicts(self, result: Mapping[str, Any]) -> None:
        page = self.pages[result["visit"]]
        page.waiting = [(seq, body) for seq, body in page.waiting if seq > result["acked"]]
        for seq, verdict, _reason in result["verdicts"]:
            if verdict != "ok":
                page.without_effect.add(f"{self.pen.rid}:{seq}")

    def _take(self, page: Page, entry: Mapping[str, Any]) -> None:
        page.cursor = entry["n"]
        if entry.get("op") is None:
            return
        op = msgspec.convert(entry["op"], Op)
        page.ops[op.id] = op
        self.pen.receive(op.visit, op.rid, op.seq)
        if entry["verdict"] != "ok":
            page.without_effect.add(op.id)
        if op.kind in ("rule", "admit"):
            has_effect = op.kind == "admit" or op.val["verdict"] == "ok"
            (page.without_effect.discard if has_effect else page.without_effect.add)(op.path[1])
        elif op.kind == "assign":
            page.crew[op.path[1]] = op.val["role"]
        elif op.kind == "reopen":
            page.round = op.val["round"]

    def _upload(self, visit: str, page: Page) -> None:
        desk = media.Desk(self.server.db, self.server.files, self.server.keys, self.clock)
        parts = []
        for content, mime, of in page.pictures:
            file = self.server.files.begin()
            file.write(content)
            parts.append((file, mime, of))
        page.pictures = []
        if parts:
            media.keep_batch(desk, self.person, self.pen.rid, visit, parts)

    # --- making operations ----------------------------------------------------------------------------------------

    def _act(self, visit: str, kind: str, path: list[str], value: object, **envelope: Any) -> str:
        page = self.pages[visit]
        self.clock += timedelta(seconds=self._rng.randint(4, 25))
        given: dict[str, Any] = {
            "tpl": page.card["tpl"],
            "at": self.clock,
            "base": page.heads(path) if kind == "set" else [],
            "clk": {"off_ms": self._rng.randint(-900, 900), "age_s": self._rng.randint(20, 4000)},
            **envelope,
        }
        body = self.pen.write(visit, kind, path, value, **given)
        made = msgspec.json.decode(body, type=Op)
        page.ops[made.id] = made
        page.waiting.append((made.seq, body))
        return made.id

    def _cut(self, visit: str) -> dict[str, int]:
        """What this phone has of the visit: of other replicas, and of its own."""
        cut = dict(self.pen.received.get(visit, {}))
        if visit in self.pen.chains:
            cut[self.pen.rid] = self.pen.chains[visit][0]
        return cut

    def _keep(self, visit: str, content: bytes, mime: str, of: str | None) -> str:
        self.pages[visit].pictures.append((content, mime, of))
        return hashlib.sha256(content).hexdigest()

    def _attached(self, taken: Photo, of: str) -> dict[str, object]:
        return {
            "size": len(taken.jpeg),
            "mime": "image/jpeg",
            "for": of,
            "w": taken.width,
            "h": taken.height,
            "taken": self.clock.astimezone(BEIJING).isoformat(timespec="seconds"),
            "source": "camera",
        }
