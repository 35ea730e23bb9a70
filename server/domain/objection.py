"""Objections to a published result: their states, who may do what when, and the code of who objected (R26.5).

The papers are judged first, then others than the first crew recheck, a second pair of eyes confirms what they found,
and the answer goes to who objected.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import rfc8785

from server.domain.item import Template

STATES: Final = (
    "filed",
    "papers_asked",
    "accepted",
    "rechecking",
    "found",
    "confirmed",
    "answered",
    "refused",
)
CLOSED: Final = frozenset({"answered", "refused"})

TRANSITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "ask_papers": {"filed": "papers_asked"},
    "add_papers": {"papers_asked": "filed"},
    "accept": {"filed": "accepted"},
    "refuse": {"filed": "refused", "papers_asked": "refused"},
    "assign": {"accepted": "rechecking", "rechecking": "rechecking"},
    "find": {"rechecking": "found"},
    "send_back": {"found": "rechecking"},
    "confirm": {"found": "confirmed"},
    "answer": {"confirmed": "answered"},
}
"""Act -> state before -> state after; what isn't here can't be done. `add_papers` is the act of who objected."""

CAPACITIES: Final = ("representative", "authorised")
"""Who objects: the subject by its representative, or a person whom it authorised."""

REFUSALS: Final = ("no_identity", "not_entitled", "not_about_result", "no_grounds")
"""Why an objection isn't taken up."""

OUTCOMES: Final = ("upheld", "partly", "not_upheld")
"""What the recheck found of the objection; the first two say that the result is wrong."""

WRONG: Final = frozenset({"upheld", "partly"})
METHODS: Final = ("document_review", "site")

LETTERS: Final[Mapping[str, str]] = {
    "objection_acceptance": "异受",
    "objection_refusal": "异不受",
    "objection_outcome": "异复",
}
"""Kind of a letter -> the word in its number: every kind counts for itself."""

PAPERS_MOST: Final = 3
PAPER_BYTES: Final = 5 << 20
LINES_MOST: Final = 20
RECHECK_ITEM: Final = "objection-recheck"
"""The item of a recheck's checklist; it is of no item list, since a recheck is drawn by nobody."""


class Standing(msgspec.Struct, frozen=True):
    """Where an objection stands, as the rules look at it.

    `visit` is the state of the recheck on the spot, `correction` says that one was asked because of it.
    """

    state: str
    papers: int = 0
    outcome: str | None = None
    entered_by: str | None = None
    visit: str | None = None
    correction: bool = False


def after(state: str, act: str) -> str | None:
    """The state that an act leads to; None where it can't be done."""
    return TRANSITIONS[act].get(state)


def hindrance(act: str, person: str, in_first_crew: bool, it: Standing) -> str | None:
    """The code of the first thing that keeps a person of the office from an act; None where he may do it.

    Nobody of the first crew has a hand in it, and nobody confirms what he entered himself.
    """
    holds = {
        "objection_own_crew": in_first_crew,
        "objection_state": after(it.state, act) is None,
        "own_entry": act == "confirm" and it.entered_by == person,
        "objection_no_identity": act == "accept" and it.papers == 0,
        "objection_visit_open": it.visit not in (None, "final") and (act == "find" or _is_sent(act, it)),
        "objection_correction_first": act == "answer" and it.outcome == "upheld" and not it.correction,
    }
    return next((code for code, is_so in holds.items() if is_so), None)


def _is_sent(act: str, it: Standing) -> bool:
    """Whether another crew would be sent while one is out."""
    return act == "assign" and it.visit != "void"


def letter_no(prefix: str, kind: str, year: int, n: int) -> str:
    """The number of a letter as it is printed."""
    return f"{prefix}{LETTERS[kind]}〔{year}〕{n}号"


# --- the receipt code -------------------------------------------------------------------------------------------------

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Nothing here is taken for another sign when it is written down."""

GROUPS, GROUP = 4, 4


def code_of(chance: bytes) -> str:
    """A receipt code of chance: sixteen signs in groups of four, 78 bits."""
    number, signs = int.from_bytes(chance, "big"), ""
    for _ in range(GROUPS * GROUP):
        number, place = divmod(number, len(ALPHABET))
        signs += ALPHABET[place]
    return grouped(signs)


def grouped(signs: str) -> str:
    """A code as it is written down."""
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def code_hash(code: str) -> str | None:
    """What is kept of a code, however it was typed; None for what is no code."""
    plain = "".join(one for one in unicodedata.normalize("NFKC", code[:200]).upper() if one.isalnum())
    if len(plain) != GROUPS * GROUP or not set(plain) <= set(ALPHABET):
        return None
    return hashlib.sha256(f"suijian-objection:{plain}".encode()).hexdigest()


# --- the papers -------------------------------------------------------------------------------------------------------

ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def mime_of(head: bytes) -> str | None:
    """What a paper is by its first bytes, whatever its sender called it; None for what isn't taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "application/pdf" if head.startswith(b"%PDF-") else None


# --- a recheck on the spot --------------------------------------------------------------------------------------------


def recheck_list(no: str, lines: Sequence[str]) -> Template:
    """The checklist of a recheck on the spot: a point for each line of what is to be looked at again."""
    points: list[dict[str, Any]] = [
        {
            "id": f"ob-{n:03d}",
            "text": line,
            "how": "对照公示的结果和申请材料重新查看，拍下现场情况。",
            "basis": "",
            "section": "异议复核",
            "major": False,
        }
        for n, line in enumerate(lines, start=1)
    ]
    title = f"异议复核（{no}）"
    item: dict[str, Any] = {"id": RECHECK_ITEM, "name": title, "judged": "findings", "points": points}
    body = rfc8785.dumps({"t": "checklist/1", "title": title, "items": [item]})
    return Template(hashlib.sha256(body).hexdigest(), title, body)
