"""The forms that the product's own pages hold, found by opening every page as everybody who may act there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from tests.office.district import HTML, Office
from tests.office.screens import Scene

LEADS_AWAY = ("/office/sign-out", "/office/language")
"""Forms of the frame: one ends the session that asks."""

TEXTS = {"text", "search", "textarea", "tel", "email", "number", "date", "month", "url", "hidden", "password"}


@dataclass
class Field:
    """One field: its kind is the type of the input, `textarea` or `select`."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A form as a page gave it to somebody."""

    who: str
    page: str
    action: str
    has_file: bool
    fields: list[Field]

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """What makes it another form: who sends what where; ids in the address aside."""
        plain = re.sub(r"/[^/]*\d[^/]*", "/*", urlsplit(self.action).path)
        return self.who, plain, tuple(sorted({one.name for one in self.fields}))

    def filled(self, value: str | None = None) -> dict[str, str]:
        """What a browser would send, with one value in every field where people write."""
        sent = {one.name: one.value or (one.options[-1] if one.options else "") for one in self.fields}
        if value is not None:
            sent |= {one.name: value for one in self.written}
        return sent

    @property
    def written(self) -> list[Field]:
        """The fields where people write."""
        return [one for one in self.fields if one.kind in TEXTS - {"hidden"}]


class _Reader(HTMLParser):
    """Gathers the POST forms of one page; a field outside of the form may name it by `form=`."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str], list[Field]]] = []
        self.by_id: dict[str, list[Field]] = {}
        self.open: list[Field] | None = None
        self.area: Field | None = None
        self.select: Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = []
            self.forms.append((given, self.open))
            self.by_id[given.get("id", "")] = self.open
        into = self.by_id.get(given["form"]) if "form" in given else self.open
        if into is None or (tag != "option" and "name" not in given):
            return
        if tag in ("input", "button"):
            into.append(
                Field(given["name"], given.get("type", "text" if tag == "input" else "submit"), given.get("value", ""))
            )
        elif tag == "textarea":
            self.area = Field(given["name"], "textarea")
            into.append(self.area)
        elif tag == "select":
            self.select = Field(given["name"], "select")
            into.append(self.select)
        elif tag == "option" and self.select is not None:
            self.select.options.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        self.area = None if tag == "textarea" else self.area
        self.select = None if tag == "select" else self.select

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area.value += data


def forms_in(text: str, who: str, page: str) -> list[Form]:
    """The POST forms of a page."""
    reader = _Reader()
    reader.feed(text)
    return [
        Form(who, page, urljoin(page, given.get("action", "")), "multipart" in given.get("enctype", ""), fields)
        for given, fields in reader.forms
        if given.get("method", "get").lower() == "post"
    ]


def forms_of(office: Office, shown: list[Scene]) -> list[Form]:
    """Every form of every page that is shown, once for each who may send it."""
    found: dict[tuple[str, str, tuple[str, ...]], Form] = {}
    for scene in shown:
        if scene.who is None or scene.wrong_password:
            continue
        answer = office.client(scene.who).get(scene.address, headers=HTML)
        for form in forms_in(answer.text, scene.who, scene.address):
            if not form.action.startswith(LEADS_AWAY):
                found.setdefault(form.key, form)
    return list(found.values())
