"""The browser killed at any moment: what the screen has called saved is there at the next start, byte for byte."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Error

from server.sync.ops import Read, canonical, read
from tests.browser.journal import bodies, media, verifier_of
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.dispatching import dispatch_at
from tests.running import Running

KILLS = 30
LONGEST_BURST = 1.5

BURST = r"""async ([visit, round, pictures]) => {
  const store = await import('/app/store.js');
  await store.visit(visit);
  const files = pictures.map((text, i) =>
    new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], `${i}.jpg`, { type: 'image/jpeg' }));
  for (let i = 0; i < 300; i += 1) {
    if (i % 8 === 3) {
      const [{ sha256, op }] = await store.addPhotos(visit, 'visit', [files[(i >> 3) % files.length]], 'camera');
      await window.saved(JSON.stringify({ visit, op, sha256 }));
    } else {
      const path = ['answer', `p${String(1 + (i % 60)).padStart(2, '0')}`, 'note'];
      const val = `第${round}轮 ${i} 记录 e\u0301𠮷 ${'字'.repeat(i)}`;
      const op = await store.act(visit, 'set', path, val);
      await window.saved(JSON.stringify({ visit, op, path, val: val.normalize('NFC') }));
    }
  }
}"""

KEPT = """async (visit) => {
  const open = indexedDB.open('suijian-li');
  const db = await new Promise((done, fail) => { open.onsuccess = () => done(open.result); open.onerror = fail; });
  const all = (store, range) => new Promise((done, fail) => {
    const asked = db.transaction(store).objectStore(store).getAll(range);
    asked.onsuccess = () => done(asked.result); asked.onerror = fail;
  });
  const hex = async (blob) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))]
    .map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const range = IDBKeyRange.bound([visit], [visit, []]);
  const rows = await all('ops', range);
  const media = await all('media', range);
  const held = {};
  for (const { sha256, role, of, op } of media) {
    const key = of ? `${of}:${role}` : sha256;
    held[sha256] = { op, hash: await hex(new Blob(await all('chunks', IDBKeyRange.bound([key], [key, []])))) };
  }
  db.close();
  return [rows.map(({ op }) => op), held];
}"""


def test_what_was_saved_survives_thirty_kills(
    server: Running, new_phone: Callable[[str], Phone], tmp_path: Path
) -> None:
    chance = random.Random(20261124)
    visits = [dispatch_at(server) for _ in range(KILLS)]
    pictures = [photograph(seed, 0.4) for seed in range(3)]
    log = tmp_path / "saved.jsonl"
    phone = new_phone(server.url).start().enter("li")
    verify = verifier_of(server, phone.state()["rid"])
    for number, visit in enumerate(visits):
        _burst(phone, visit, number, pictures, log, chance.uniform(0, LONGEST_BURST))
        phone.start(offline=True)
        now = phone.state()
        assert (now["fault"], phone.errors, now["officer"] and now["officer"]["id"]) == (None, [], "li"), phone.said
        phone.call("syncNow")
        _whole(phone, visit, _saved(log, visit), verify)
    assert len(set(log.read_text().splitlines())) > 3 * KILLS
    phone.offline(False)
    phone.sync()
    assert phone.outbox() == []
    for visit in visits:
        on_server = bodies(server, visit)
        assert {entry["op"] for entry in _saved(log, visit)} <= on_server.keys()
    assert {entry["sha256"] for entry in _saved(log) if "sha256" in entry} <= media(server)


def _burst(phone: Phone, visit: str, number: int, pictures: list[bytes], log: Path, seconds: float) -> None:
    """Writes as fast as it can until the browser is killed, so long after the first item was called saved."""
    killer = threading.Timer(seconds, phone.strike)

    def saved(text: str) -> None:
        with log.open("a") as file:
            file.write(text + "\n")
        if not killer.is_alive() and not killer.finished.is_set():
            killer.start()

    phone.page.expose_function("saved", saved)
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    try:
        phone.page.evaluate(BURST, [visit, number, encoded])
    except Error:
        killer.join()
    phone.kill()


def _saved(log: Path, visit: str | None = None) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return [entry for entry in entries if visit in (None, entry["visit"])]


def _whole(phone: Phone, visit: str, saved: list[dict[str, Any]], verify: Callable[[Read], None]) -> None:
    """Everything called saved is there; the chain is whole; no medium is there in part, or without its op."""
    ops, held = phone.page.evaluate(KEPT, visit)
    own = sorted((op for op in ops if not op["rid"].startswith("srv")), key=lambda op: op["seq"])
    assert [op["seq"] for op in own] == list(range(1, len(own) + 1))
    prev = ""
    for op in own:
        assert op["prev"] == prev
        as_sent = read(canonical(op))
        verify(as_sent)
        prev = as_sent.hash
    by_id = {f"{op['rid']}:{op['seq']}": op for op in own}
    for entry in saved:
        op = by_id[entry["op"]]
        if "sha256" in entry:
            assert held[entry["sha256"]]["hash"] == entry["sha256"]
            assert op["path"] == ["media", entry["sha256"]]
        else:
            assert (op["path"], op["val"]) == (entry["path"], entry["val"])
    attached = {op["path"][1] for op in own if op["kind"] == "attach"}
    for sha256, kept in held.items():
        assert kept["hash"] == sha256
        assert kept["op"] is None or sha256 in attached
