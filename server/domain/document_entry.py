"""What is typed for a document besides what the record says, read and checked: each kind asks for its own fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault, number_faults

TALK_MOST: Final = 200
LINES_MOST: Final = 40
_SAYS: Final = re.compile(r"\s*(问|答)\s*[:：]\s*(.*)", re.DOTALL)


class Typed(msgspec.Struct, frozen=True):
    """The fields of all kinds; what a kind doesn't ask for stays empty. `reason` is why an older one is replaced."""

    text: str = ""
    basis: str = ""
    lines: tuple[str, ...] = ()
    person: str = ""
    post: str = ""
    place: str = ""
    since: str = ""
    until: str = ""
    recorder: str = ""
    talk: tuple[tuple[str, str], ...] = ()
    reason: str = ""


FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "inspection_record": (),
    "rectification_order": (),
    "on_site_measures": ("basis", "measures"),
    "recheck_opinion": ("text",),
    "interview_record": ("person", "post", "place", "since", "until", "recorder", "talk"),
    "refusal_record": ("text",),
}
"""Kind -> the fields of its form."""

MUST: Final = frozenset({"basis", "measures", "person", "place", "since", "until", "recorder", "talk"})
"""Those that can't stay empty."""


def check_document(kind: str, values: Mapping[str, str], *, replacing: bool) -> tuple[Typed, list[Fault]]:
    """What was typed for a document, with everything that is wrong with it.

    A phone or ID number has no place in a text that is kept in clear.
    """
    entry = Entry(values)
    asked, read = FIELDS[kind], dict[str, object]()
    if "text" in asked:
        read["text"] = entry.text("text", required=False)
    if "basis" in asked:
        read["basis"] = entry.line("basis")
    if "measures" in asked:
        read["lines"] = _lines(entry)
    if "talk" in asked:
        read |= _interview(entry)
    if replacing:
        read["reason"] = entry.text("reason", most=500)
    typed = Typed(**read)  # type: ignore[arg-type]
    return typed, [*entry.faults, *_numbers(typed)]


def _lines(entry: Entry) -> tuple[str, ...]:
    found = tuple(line.strip() for line in entry.text("measures").splitlines() if line.strip())
    if len(found) > LINES_MOST:
        entry.wrong("measures", "too_long", n=len(found), most=LINES_MOST)
    return found


def _interview(entry: Entry) -> dict[str, object]:
    read: dict[str, object] = {
        "person": entry.name("person", most=60),
        "post": entry.line("post", most=60, required=False),
        "place": entry.line("place"),
        "recorder": entry.name("recorder", most=60),
    }
    since, until = (_moment(entry, name) for name in ("since", "until"))
    if since and until and until < since:
        entry.wrong("until", "days_swapped", since=since.replace("T", " "), until=until.replace("T", " "))
    return {**read, "since": since, "until": until, "talk": _talk(entry)}


def _moment(entry: Entry, name: str) -> str:
    """A moment as a form gives it, in Beijing time: 2026-11-24T14:03."""
    text = entry.line(name, most=32).replace(" ", "T")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        if text:
            entry.wrong(name, "not_a_moment", found=text[:20])
        return ""
    return text[:16]


def _talk(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Questions and answers: a line that begins with 问： or 答： is the next one, any other goes on with the last."""
    said = list[tuple[str, str]]()
    for line in entry.text("talk", most=20_000).splitlines():
        begun = _SAYS.fullmatch(line)
        if begun is not None:
            said.append((begun[1], begun[2].strip()))
        elif line.strip() and said:
            said[-1] = (said[-1][0], f"{said[-1][1]}\n{line.strip()}")
        elif line.strip():
            entry.wrong("talk", "talk_unmarked", found=line.strip()[:20])
            break
    if len(said) > TALK_MOST:
        entry.wrong("talk", "too_long", n=len(said), most=TALK_MOST)
    return tuple(said)


def _numbers(typed: Typed) -> list[Fault]:
    texts = {"text": typed.text, "basis": typed.basis, "measures": "\n".join(typed.lines), "reason": typed.reason,
             "person": typed.person, "post": typed.post, "place": typed.place, "recorder": typed.recorder,
             "talk": "\n".join(text for _, text in typed.talk)}  # fmt: skip
    return [fault for field, text in texts.items() for fault in number_faults(field, text)]
