"""Short ways to write down operations, crews and templates: whatever isn't said is valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from server.sync import fold as folding
from server.sync.ops import Op, canonical, read, stored

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
