"""Feeds: what was published, as Atom (RFC 4287) and as JSON Feed 1.1; ids stay the same whatever the address is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

ATOM: Final = "http://www.w3.org/2005/Atom"
NEVER: Final = "1970-01-01T00:00:00Z"
"""When a feed changed in which nothing was published yet."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ElementTree.register_namespace("", ATOM)


class Entry(msgspec.Struct, frozen=True):
    """One thing that was published: `name` tells it from all others for ever."""

    name: str
    title: str
    address: str
    at: str
    text: str


class Feed(msgspec.Struct, frozen=True):
    """A feed: where it is, the page that it tells of, its entries, the newest first, and where older ones are."""

    name: str
    title: str
    author: str
    address: str
    page: str
    entries: Sequence[Entry]
    more: str | None = None


def id_of(name: str) -> str:
    """A name as an id that never changes."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'suijian/{name}')}"


def atom(feed: Feed) -> bytes:
    """The feed as Atom."""
    root = ElementTree.Element(f"{{{ATOM}}}feed")
    _text(root, "id", id_of(feed.name))
    _text(root, "title", feed.title)
    _text(root, "updated", max((entry.at for entry in feed.entries), default=NEVER))
    _text(ElementTree.SubElement(root, f"{{{ATOM}}}author"), "name", feed.author)
    _link(root, "self", feed.address, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    if feed.more is not None:
        _link(root, "next", feed.more, "application/atom+xml")
    for entry in feed.entries:
        _entry(root, entry)
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    one = ElementTree.SubElement(root, f"{{{ATOM}}}entry")
    _text(one, "id", id_of(entry.name))
    _text(one, "title", entry.title)
    _text(one, "updated", entry.at)
    _text(one, "published", entry.at)
    _link(one, "alternate", entry.address, "text/html")
    _text(one, "content", entry.text).set("type", "text")


def _text(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    """An element of plain text; the few characters that XML can't hold are left out."""
    made = ElementTree.SubElement(parent, f"{{{ATOM}}}{tag}")
    made.text = _NOT_XML.sub("", text)
    return made


def _link(parent: ElementTree.Element, rel: str, address: str, type: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "href": address, "type": type})


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "language": "zh-CN",
        "authors": [{"name": feed.author}],
        "items": [_json_entry(entry) for entry in feed.entries],
    }
    if feed.more is not None:
        document["next_url"] = feed.more
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _json_entry(entry: Entry) -> dict[str, str]:
    return {
        "id": id_of(entry.name),
        "url": entry.address,
        "title": entry.title,
        "content_text": entry.text,
        "date_published": entry.at,
    }
