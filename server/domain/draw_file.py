"""The published file of a draw: canonical JSON and one line end, always the same bytes, with a hash of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import rfc8785

from server.domain.drawing import Contribution, Drawing

KIND: Final = "draw/1"


def parts_of(drawing: Drawing, frame: str) -> dict[str, Any]:
    """What the draw of subjects puts into its file; an attempt that was void before it was drawn has drawn nobody."""
    void = drawing.void
    return {
        "attempt": drawing.attempt,
        "prev": drawing.prev,
        "frame": frame,
        "frame_digest": drawing.frame_digest,
        "rules": drawing.rules,
        "rules_digest": drawing.rules_digest,
        "sources": msgspec.to_builtins(drawing.sources),
        "commit": drawing.commit,
        "committed_at": drawing.committed_at,
        "contributions": [said(one) for one in drawing.contributions],
        "secret": drawing.secret,
        "seed": drawing.seed,
        "quotas": drawing.quotas,
        "winners": drawing.winners,
        "reserve": drawing.reserve,
        "excused": msgspec.to_builtins(drawing.excused),
        "void": None if void is None else {"reason": void.reason, "by": void.by, "at": void.at},
    }


def said(one: Contribution) -> dict[str, Any]:
    """A contribution as the file has it."""
    return {"k": one.k, "v": one.v, "at": one.at, "by": one.by, "evidence": one.evidence}


def file_of(drawing: Drawing, frame: str, office: str, task: str, officers: Mapping[str, Any] | None = None) -> bytes:
    """The file of an attempt that is drawn or void; `officers` as the part of `omatch1` stands."""
    if drawing.secret is None:
        raise ValueError("A draw that still hides its secret has no file.")
    head = {"t": KIND, "no": drawing.no, "office": office, "task": task}
    return sealed({**head, **parts_of(drawing, frame), "officers": officers})


def file_of_participant(
    no: str, office: str, task: str, joint: Mapping[str, Any], officers: Mapping[str, Any] | None = None
) -> bytes:
    """The file of a joint task in which another office drew: the lead's list, and our officers (R13.1).

    `joint` has `lead`, `document`, `sha256` and `codes`.
    """
    nothing = dict.fromkeys(
        ("prev", "frame", "frame_digest", "rules", "rules_digest", "commit", "committed_at", "secret", "seed")
    )
    empty: dict[str, Any] = {"sources": [], "contributions": [], "quotas": {}, "winners": {}, "reserve": {}}
    head = {"t": KIND, "no": no, "office": office, "task": task, "attempt": 1}
    rest: dict[str, Any] = {"excused": [], "officers": officers, "void": None, "joint": dict(joint)}
    return sealed({**head, **nothing, **empty, **rest})


def with_officers(body: bytes, officers: Mapping[str, Any] | None) -> bytes:
    """A new version of a file, in which only the part of the officers is another."""
    return sealed({**msgspec.json.decode(body), "officers": officers})


def sealed(document: Mapping[str, Any]) -> bytes:
    """The bytes of a file, with `record`: the hash of everything else in it."""
    members = {name: rfc8785.dumps(value) for name, value in document.items() if name != "record"}
    record = hashlib.sha256(_joined(members)).hexdigest()
    return _joined({**members, "record": rfc8785.dumps(record)}) + b"\n"


def _joined(members: Mapping[str, bytes]) -> bytes:
    """Canonical JSON of an object from its members; the file's own keys are ASCII, whose order is plain."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), members[name]) for name in sorted(members)) + b"}"


def record_of(body: bytes) -> str:
    """The hash that a file has of itself: what the trail keeps beside the SHA-256 of the bytes."""
    found: str = msgspec.json.decode(body)["record"]
    return found
