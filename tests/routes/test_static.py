"""The field app as it is served."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import httpx

from server import fieldapp
from tests.running import Running


def _files(client: httpx.Client) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = client.get("/app/precache.json").json()["files"]
    return listed


def test_every_file_to_keep_is_served_with_the_bytes_that_its_digest_names(server: Running) -> None:
    with server.client() as client:
        files = _files(client)
        for listed in files:
            answer = client.get(str(listed["url"]))
            assert answer.status_code == 200, listed
            assert (hashlib.sha256(answer.content).hexdigest(), len(answer.content)) == (
                listed["sha256"],
                listed["bytes"],
            )
    assert "/app/" in {listed["url"] for listed in files}
    assert "/app/sw.js" not in {listed["url"] for listed in files}


def test_nothing_is_served_that_the_app_does_not_need(server: Running) -> None:
    with server.client() as client:
        urls = " ".join(str(listed["url"]) for listed in _files(client))
        assert not re.search(r"package|node_modules|vendor\.mjs|\.d\.ts|tsconfig|\.npmrc|htmx|LICENSE", urls)
        for path in (
            "/app/package.json",
            "/app/.npmrc",
            "/app/vendor.mjs",
            "/app/../server/app.py",
            "/app/%2e%2e/server/app.py",
        ):
            assert client.get(path).status_code == 404, path


def test_any_page_of_the_app_is_its_shell(server: Running) -> None:
    with server.client() as client:
        shell = client.get("/app/").content
        assert client.get("/app/visits/0190-xyz/checklist").content == shell
        assert client.get("/app").content == shell
        assert client.get("/app/views/nothing.js").status_code == 404


def test_the_policy_allows_the_import_map_by_its_digest_and_no_other_inline_script(server: Running) -> None:
    with server.client() as client:
        answer = client.get("/app/")
    [inline] = re.findall(r"<script(?![^>]*src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


def test_every_name_of_the_import_map_leads_to_a_file(server: Running) -> None:
    with server.client() as client:
        targets = re.findall(
            r'"(/app/[^"]+\.m?js)"', client.get("/app/").text.split("importmap")[1].split("</script>")[0]
        )
        assert targets
        assert {client.get(target).status_code for target in targets} == {200}


def test_a_file_that_the_browser_has_is_not_sent_again(server: Running) -> None:
    with server.client() as client:
        first = client.get("/app/style.css")
        again = client.get("/app/style.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["Cache-Control"] == "no-cache"


def test_a_browser_that_takes_no_gzip_gets_plain_bytes(server: Running) -> None:
    with server.client(headers={"Accept-Encoding": "identity"}) as client:
        assert "Content-Encoding" not in client.get("/app/style.css").headers


def test_the_worker_changes_with_every_file_that_it_keeps(server: Running) -> None:
    with server.client() as client:
        version = client.get("/app/precache.json").json()["version"]
        worker = client.get("/app/sw.js")
    assert version in worker.text
    assert worker.headers["Content-Type"].startswith("text/javascript")


def test_the_office_gets_its_own_files_without_signing_in(server: Running) -> None:
    with server.client() as client:
        for name in ("office.css", "tokens.css", "icons.svg", "htmx.js", "mark.svg"):
            assert client.get(f"/office/assets/{name}").status_code == 200, name
        assert client.get("/office/assets/settings.py").status_code == 404


def test_a_pack_is_served_only_while_it_was_made_from_todays_sources(tmp_path: Path) -> None:
    web = tmp_path / "web"
    (web / "packed").mkdir(parents=True)
    (web / "index.html").write_text("<!--importmap-->")
    (web / "app.js").write_text("source")
    (web / "packed" / "app.js").write_text("packed")
    digest = hashlib.sha256(b"source").hexdigest()
    manifest = {"outputs": {"app.js": {"lazy": False}}, "sources": {"app.js": digest}}
    (web / "packed" / "manifest.json").write_text(json.dumps(manifest))
    assert fieldapp.load(web).files["/app/app.js"].body == b"packed"
    (web / "app.js").write_text("edited")
    assert fieldapp.load(web).files["/app/app.js"].body == b"edited"
