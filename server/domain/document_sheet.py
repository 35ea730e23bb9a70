"""A document as it is printed: title and number, facts, blocks of text and tables, signatures. Data only, no layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


class Words(msgspec.Struct, frozen=True, tag_field="t", tag="words"):
    """A paragraph; `lead` stands before it in bold."""

    text: str
    lead: str = ""


class Table(msgspec.Struct, frozen=True, tag_field="t", tag="table"):
    """A ruled table; `widths` are millimetres, 0 takes what is left. Columns in `codes` are set as codes."""

    head: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[str]]
    codes: Sequence[int] = ()


class Signer(msgspec.Struct, frozen=True):
    """A place to sign: the picture of the signature (by digest), a sentence in its place, or an empty line to write on.

    `wide` takes the whole width.
    """

    label: str
    name: str = ""
    image: str | None = None
    said: str = ""
    wide: bool = False


class Sheet(msgspec.Struct, frozen=True):
    """One document. A row of `facts` has one pair of label and value, or two; `qr` is what its code says."""

    kind: str
    org: str
    title: str
    no: str
    facts: Sequence[Sequence[tuple[str, str]]]
    blocks: Sequence[Words | Table]
    signers: Sequence[Signer]
    dated: str
    short: str
    says: str
    qr: str
    t: str = "document/1"


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a sheet, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts_of(getattr(value, name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_of(part)
