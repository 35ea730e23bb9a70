"""Whatever is typed into the forms of our own pages: never a fault of the server's, and nothing typed is lost."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.office.district import HTML, Office, demo_server
from tests.office.forms import Form, forms_in, forms_of
from tests.office.screens import Scene, scenes

NAUGHTY = {
    "script": "<script>window.hit=1</script>",
    "attribute": '"\'><img src=x onerror="window.hit=1">',
    "template": "{{7*7}}${7*7}<%=7*7%>{% raise %}",
    "area": "</textarea></title><svg/onload=window.hit=1>",
    "null": "a\x00b",
    "controls": "a\x07\x1b[31m\x7f\x85b",
    "bidi": "\u202e\u2066evil\u2069\u202c",
    "surrogate pair": "𠮷野家䶮\U0001f469\u200d\U0001f692",
    "combining": "e" + "\u0301" * 300,
    "full width": "１２３ＡＢＣ　",
    "sql": "'; DROP TABLE subject; --",
    "like": "%_\\%' OR 1=1",
    "formula": "=cmd|' /C calc'!A0",
    "long": "长" * 20_000,
    "very long number": "9" * 400,
    "minus": "-1",
    "exponent": "1e309",
    "not a number": "NaN",
    "fraction": "0.1",
    "other digits": "١٢٣",
    "no such day": "2026-02-30",
    "year 0": "0000-01-01",
    "year 9999": "9999-12-31",
    "year 10000": "10000-01-01",
    "week": "2026-W05",
    "path": "../../../../etc/passwd",
    "header": "x\r\nSet-Cookie: a=b",
    "json": '{"__class__":{}}',
    "spaces": " \t\u3000 ",
    "nothing": "",
}
"""Name -> what is put into every field of a form at once."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("forms") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def shown(office: Office) -> list[Scene]:
    return scenes(office)


@pytest.fixture(scope="module")
def forms(office: Office, shown: list[Scene]) -> list[Form]:
    return forms_of(office, shown)


def send(office: Office, form: Form, data: dict[str, str], **more: object) -> httpx.Response:
    """Sends a form as its page would, without following where it leads."""
    files = {"": (None, "")} if form.has_file else None
    return office.client(form.who).post(form.action, data=data, files=files, headers=HTML)


def faults_of(form: Form, answer: httpx.Response) -> list[str]:
    """A 5xx, or an answer that can't be read."""
    if answer.status_code >= 500:
        return [f"{form.who} {form.page} -> {form.action}: {answer.status_code}"]
    return []


def test_there_are_forms(forms: list[Form]) -> None:
    fields = {(form.action, one.name) for form in forms for one in form.written}
    print(f"{len(forms)} forms with {len(fields)} fields where people write")
    assert len(forms) >= 10


@pytest.mark.parametrize("name", NAUGHTY)
def test_no_text_in_every_field_is_a_fault_of_the_servers_or_comes_back_as_markup(
    office: Office, forms: list[Form], name: str
) -> None:
    faults = []
    for form in forms:
        answer = send(office, form, form.filled(NAUGHTY[name]))
        faults += faults_of(form, answer)
        for markup in ("<script>window", "<img src=x", "<svg/onload"):
            if markup in answer.text:
                faults.append(f"{form.action}: {markup}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["no such day", "script", "like", "surrogate pair", "minus"])
def test_what_was_typed_stands_in_the_form_again_when_it_is_refused(
    office: Office, forms: list[Form], name: str
) -> None:
    """Nothing typed is lost: the page that says what is wrong holds every text (spaces at the ends aside)."""
    faults = []
    for form in forms:
        typed = NAUGHTY[name]
        written = [one for one in form.written if one.kind != "password"]
        answer = send(office, form, form.filled(typed))
        still_there = form.action in {one.action for one in forms_in(answer.text, form.who, form.action)}
        if written and answer.status_code >= 400 and still_there:
            shown = html.unescape(answer.text).count(typed)
            if shown < len(written):
                faults.append(f"{form.who} {form.page} -> {form.action}: {shown} of {len(written)} fields kept")
    assert not faults, "\n".join(faults)


def test_missing_and_repeated_fields_and_those_of_nobody_are_no_fault(office: Office, forms: list[Form]) -> None:
    faults = []
    for form in forms:
        client, whole = office.client(form.who), form.filled("1")
        bodies = [b"", b"&".join(f"{name}=1&{name}=2".encode() for name in whole), b"a" * 5000, b"%ff=%fe&%00=%00"]
        bodies.append(b"&".join(f"{name}=%ed%a0%80".encode() for name in whole))
        bodies += [b"&".join(f"{other}=1".encode() for other in whole if other != name) for name in list(whole)[:8]]
        for body in bodies:
            headers = HTML | {"Content-Type": "application/x-www-form-urlencoded"}
            faults += faults_of(form, client.post(form.action, content=body, headers=headers))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"a":1}'),
        ("application/json", b"{"),
        ("text/plain", b"a=1"),
        ("multipart/form-data", b"a=1"),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nMZ',
        ),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--x--'),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
        ("", b"a=1"),
    ],
)
def test_a_body_of_another_kind_is_no_fault(office: Office, forms: list[Form], content_type: str, body: bytes) -> None:
    faults = []
    for form in forms:
        headers = HTML | {"Content-Type": content_type}
        faults += faults_of(form, office.client(form.who).post(form.action, content=body, headers=headers))
    assert not faults, "\n".join(faults)


def test_a_form_of_the_public_that_is_no_text_is_the_senders_fault(office: Office) -> None:
    """A photo whose part has no file name is taken for a text; so is any text in another writing."""
    for path in ("/objections", "/objections/new", "/objections/papers", "/objections/letter"):
        for name in ("code", "papers"):
            head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename=""\r\n\r\n'.encode()
            headers = HTML | {"Content-Type": "multipart/form-data; boundary=x"}
            with office.running.client() as client:
                answer = client.post(path, content=head + b"\xff\xd8\xff\r\n--x--\r\n", headers=headers)
            assert answer.status_code == 400, (path, name, answer.status_code)


@pytest.mark.parametrize("value", ["'\"><script>window.hit=1</script>", "%", "\x00", "9" * 30, "-1", "𠮷" * 2000, ""])
def test_no_filter_sort_or_page_number_in_an_address_is_a_fault(
    office: Office, addresses: list[tuple[str, str, set[str]]], value: str
) -> None:
    faults = []
    for who, address, names in addresses:
        for name in names:
            answer = office.client(who).get(address, params={name: value}, headers=HTML)
            if answer.status_code >= 500 or "<script>window" in answer.text:
                faults.append(f"{who} {address}?{name}={value[:30]!r}: {answer.status_code}")
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def addresses(office: Office, shown: list[Scene]) -> list[tuple[str, str, set[str]]]:
    """Every page with the names that its own links and search forms put into the address."""
    found = []
    for scene in shown:
        if scene.who is not None:
            text = office.client(scene.who).get(scene.address, headers=HTML).text
            queries = re.findall(r'(?:href|hx-get)="[^"]*\?([^"#]*)', text)
            names = {part.partition("=")[0] for query in queries for part in html.unescape(query).split("&")}
            names |= set(re.findall(r'<(?:input|select)[^>]*name="(\w+)"', " ".join(get_forms(text))))
            found.append((scene.who, scene.address, names - {""}))
    return found


def get_forms(text: str) -> list[str]:
    """The forms that only look for something."""
    return [one for one in re.findall(r"<form.*?</form>", text, re.S) if 'method="post"' not in one[:200]]
