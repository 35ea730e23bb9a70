"""Short ways to write down operations, crews and templates: whatever isn't said is valid."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from server.domain.result import Item
from server.sync import fold as folding
from server.sync.ops import Op, canonical, read, stored
from server.sync.view import Entry, Facts, Look, look_at, view_of

VISIT = "0193a1b2-0000-7000-8000-00000000beef"
TPL = "63bce8d4edf0cd46fffe9c93a06ed34806202956d17a36a94df37388d9149b51"
LI, WANG, ZHAO = "a" * 32, "b" * 32, "c" * 32
OWNERS = {LI: "li", WANG: "wang", ZHAO: "zhao", "srv": "srv"}
FRAME = folding.Frame(VISIT, TPL, folding.Subject("南阳示例化工有限公司", "91411303MAAY4CL12N"))
SIGNATURE = "A" * 86


def wire(rid: str, seq: int, kind: str, path: list[str], val: Any = None, **more: Any) -> dict[str, Any]:
    """An op as a phone would send it; its ctx holds its own earlier ops and whatever `ctx` adds."""
    ctx = dict(more.pop("ctx", {}))
    own = {rid: seq - 1} if seq > 1 else {}
    given = {
        "v": 1, "visit": VISIT, "rid": rid, "seq": seq, "kind": kind, "path": path, "val": val, "base": [],
        "ctx": ctx | own, "author": OWNERS.get(rid, "li"), "via": None, "at": "2026-11-24T10:00:00+08:00", "clk": None,
        "tpl": TPL, "app": "1.0.0", "geo": None, "prev": "" if seq == 1 else "0" * 64, "sig": SIGNATURE,
    }  # fmt: skip
    return given | more


def op(rid: str, seq: int, kind: str, path: list[str], val: Any = None, **more: Any) -> Op:
    """The same, as the server holds it."""
    made = stored(canonical(wire(rid, seq, kind, path, val, **more)))
    assert made is not None
    return made


def fold(*ops: Op, without: Iterable[str] = ()) -> folding.Folded:
    """All of them folded, but for those without effect."""
    return folding.fold(ops, {it.id for it in ops} - set(without))


def ops_of(documents: Iterable[Mapping[str, Any]]) -> list[Op]:
    """Ops given as JSON documents, through the same door as those of phones."""
    made = [read(canonical(document)).op for document in documents]
    return [it for it in made if it is not None]


class Journal:
    """A visit's journal as it grows: `li` leads, `wang` is a member; every op that is put in arrives at once."""

    def __init__(self, leader: str = "li", members: Iterable[str] = ("wang",)) -> None:
        self.entries: list[Entry] = []
        self.here: set[str] = set()
        self.items: list[Item] = []
        for officer in (leader, *members):
            self.server(
                "assign", ["crew", officer], {"role": "leader" if officer == leader else "member", "reason": ""}
            )

    def seen(self) -> dict[str, int]:
        """What somebody has received who has received all."""
        return {entry.rid: entry.seq for entry in self.entries}

    def put(self, rid: str, kind: str, path: list[str], val: Any = None, **more: Any) -> Op:
        """The next op of a replica that has received everything; `verdict` and `reason` are intake's."""
        verdict, reason = more.pop("verdict", "ok"), more.pop("reason", None)
        seen = self.seen()
        own = seen.pop(rid, 0)
        made = op(rid, own + 1, kind, path, val, **{"ctx": seen} | more)
        self.entries.append(Entry(len(self.entries) + 1, rid, made.seq, made, RECEIVED, verdict, reason))
        return made

    def server(self, kind: str, path: list[str], val: Any) -> Op:
        """The next op of the server."""
        return self.put("srv", kind, path, val)

    def look(self) -> Look:
        """All that the journal says."""
        return look_at(self.entries, FRAME, Facts(items=self.items, here=self.here))

    def view(self) -> dict[str, Any]:
        """The view as JSON."""
        return view_of(self.entries, FRAME, Facts(items=self.items, here=self.here))

    def sign(self, rid: str, signer: str = "", **more: Any) -> Op:
        """Draws a signature over what stands now, its image here unless `here=False`."""
        signer = signer or OWNERS[rid]
        look = self.look()
        image = more.pop("image", sha256_of(signer))
        if more.pop("here", True) and image:
            self.here.add(image)
        role = signer.partition(":")[0] if signer.partition(":")[0] in ("subject", "witness", "expert") else "member"
        val = {
            "digest": look.shown.digest, "cut": self.seen(), "image": image, "strokes": None, "refused": None,
            "excluded": [entry.id for entry in self.entries if look.standing[entry.id].verdict != "ok"],
            "role": "leader" if signer == look.shown.crew.leader else role,
        }  # fmt: skip
        envelope = {key: more.pop(key) for key in ("author", "via", "ctx") if key in more}
        return self.put(rid, "sign", ["sign", signer], val | more, **envelope)

    def states(self) -> dict[str, str]:
        """The state of each signature, by signer; of several by one signer the latest."""
        return {it.signer: it.state for it in self.look().signatures}

    def missing(self) -> set[str]:
        """The codes of all that is missing."""
        return {it.code for it in self.look().missing}


def sha256_of(text: str) -> str:
    """A hash for a name."""
    return hashlib.sha256(text.encode()).hexdigest()


RECEIVED = "2026-11-24T02:00:01.000Z"
