"""Subjects for tests: rows that are written past the store, and records that are valid by default."""

from __future__ import annotations

from typing import Any

import msgspec

from server.domain.subject import Subject
from server.store.terms import keys_of

VALID = Subject(
    id="s1",
    uscc="91411303MAAY4CL12N",
    name="南阳示例化工有限公司",
    legal_representative="某甲",
    address="河南省南阳市卧龙区石桥镇鸭河路1号",
    contact="某乙",
    phone="14000000001",
    kind="company",
    industry="C2619",
    region="411303",
    risk="high",
    credit="B",
    status="active",
    lat_e7=329_900_000,
    lon_e7=1_125_300_000,
)


def row_of(no: int = 1, **values: Any) -> dict[str, Any]:
    """A row of the table, its phone as the first version kept it: readable without a key."""
    row: dict[str, Any] = msgspec.to_builtins(VALID) | values
    row |= {"phone": b"\x00" + row["phone"].encode(), "rev": 1, "changed_at": "2026-11-24T00:00:00.000Z", "no": no}
    return row | keys_of(row["name"], row["address"])._asdict()
