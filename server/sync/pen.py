"""The pen: writes the signed, chained ops of one replica, as a phone does; for the demo and for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from server.domain.instant import stamp
from server.sync import ops
from server.sync.keys import jwk_of, signed_by


class Pen:
    """One replica of one officer: its key, and how far it wrote in each visit."""

    def __init__(self, rid: str, officer: str, private: ec.EllipticCurvePrivateKey | None = None) -> None:
        self.rid, self.officer = rid, officer
        self.private = private or ec.generate_private_key(ec.SECP256R1())
        self.chains: dict[str, tuple[int, str]] = {}  # visit -> seq and hash of its last op
        self.received: dict[str, dict[str, int]] = {}  # visit -> what was received of other replicas

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public key, as a phone enrols it."""
        return jwk_of(self.private.public_key())

    def receive(self, visit: str, rid: str, seq: int) -> None:
        """Notes an op of another replica as received: later ops cover it."""
        known = self.received.setdefault(visit, {})
        if rid != self.rid:
            known[rid] = max(known.get(rid, 0), seq)

    def write(
        self,
        visit: str,
        kind: str,
        path: Sequence[str],
        val: Any,
        *,
        tpl: str,
        at: datetime,
        base: Sequence[str] = (),
        author: str | None = None,
        via: str | None = None,
        geo: Mapping[str, int] | None = None,
        **instead: Any,
    ) -> bytes:
        """The next op of this replica in a visit, sealed; `instead` puts other values into fields of its envelope."""
        last, prev = self.chains.get(visit, (0, ""))
        seq = last + 1
        ctx = dict(self.received.get(visit, {}))
        if last:
            ctx[self.rid] = last
        op: dict[str, Any] = {
            "v": 1, "visit": visit, "rid": self.rid, "seq": seq, "kind": kind, "path": list(path), "val": val,
            "base": sorted(base), "ctx": ctx, "author": author or self.officer, "via": via, "at": stamp(at),
            "clk": {"off_ms": 0, "age_s": 0}, "tpl": tpl, "app": "1.0.0", "geo": dict(geo) if geo else None,
            "prev": prev,
        }  # fmt: skip
        return self.append(visit, {**op, **instead})

    def append(self, visit: str, op: Mapping[str, Any]) -> bytes:
        """Seals an op as the next one of the chain in a visit, whatever stands in it."""
        self.chains[visit] = (self.chains.get(visit, (0, ""))[0] + 1, hashlib.sha256(ops.canonical(op)).hexdigest())
        return self.seal(op)

    def seal(self, op: Mapping[str, Any]) -> bytes:
        """The bytes of an op, signed with this replica's key."""
        return ops.seal(op, lambda message: signed_by(self.private, message))
