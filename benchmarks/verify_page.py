"""How long the public page takes to check a draw in Chromium, beside node's own SHA-256 on the same strings."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM_NAMES
from tests.office.screens import chromium_at

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "server" / "standalone" / "verify-draw.html"
NODE: Final = """
const { createHash } = require("node:crypto");
const { frame, seed } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
const codes = frame.split("\\n").filter((line) => line.includes("\\tE\\t")).map((line) => line.split("\\t")[0]);
const start = performance.now();
for (const code of codes) createHash("sha256").update(`${seed}|S|${code}`).digest("hex");
console.log(performance.now() - start);
"""
HASHING: Final = """async (file) => {
  const { frame, seed } = JSON.parse(await file.files[0].text());
  const rows = rowsOf(frame, isSubject, () => {});
  const bytes = encoder.encode(frame);
  const start = performance.now();
  for (const _ of ticketsOf(rows, bytes, seed));
  return performance.now() - start;
}"""
WHOLE: Final = """async (file) => {
  const chosen = [...file.files];
  const start = performance.now();
  await take(chosen);
  return [performance.now() - start, document.getElementById('headline').textContent];
}"""


def main() -> int:
    """Prints one line a size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify_page", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[100_000, 1_000_000])
    with tempfile.TemporaryDirectory() as folder:
        for size in parser.parse_args().sizes:
            path = Path(folder) / "draw.json"
            subprocess.run(["node", str(ROOT / "tests/web/make_draw.mjs"), str(size), str(path)], check=True)
            with chromium_at(executable()) as browser:
                page = browser.new_page()
                page.goto(PAGE.as_uri())
                print(as_people_do(page, path, size), flush=True)
            with chromium_at(executable()) as browser:
                page = browser.new_page()
                page.goto(PAGE.as_uri())
                print(measured(page, path, size), flush=True)
    return 0


def as_people_do(page: Page, path: Path, size: int) -> str:
    """The file is chosen and the page reads and checks it; the time until it says so, and the memory at its peak."""
    empty, start = renderers(), time.monotonic()
    page.set_input_files("#files-in", path)
    page.wait_for_function("() => document.body.dataset.checked", timeout=600_000)
    seconds, full = time.monotonic() - start, renderers()
    page.fill("#code", "91411303MA00000009")
    return (
        f"{size} subjects, {path.stat().st_size / 2**20:.0f} MiB:"
        f" {page.inner_text('#headline')!r} after {seconds:.1f} s,"
        f" by the {page.get_attribute('body', 'data-by')}; peak {full:.0f} MiB, the empty page {empty:.0f} MiB;"
        f" a code: {page.inner_text('#fate')!r}"
    )


def renderers() -> float:
    """The most memory, in MiB, that a page's process below this one has had at once."""
    return max(map(peak, (pid for pid in below(os.getpid()) if b"--type=renderer" in told(pid, "cmdline"))), default=0)


def below(pid: int) -> Iterator[int]:
    """The processes that a process has started, and theirs."""
    for task in (Path("/proc") / str(pid) / "task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from below(child)


def told(pid: int, name: str) -> bytes:
    """A file of /proc about a process; nothing of one that is gone."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / name).read_bytes()
    return b""


def peak(pid: int) -> float:
    """The resident memory of a process at its peak, in MiB."""
    found = re.search(rb"VmHWM:\s+(\d+) kB", told(pid, "status"))
    return int(found[1]) / 1024 if found else 0.0


def executable() -> str:
    """The browser of the tests, or Playwright's own."""
    found = os.environ.get("SUIJIAN_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found:
        return found
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def measured(page: Page, path: Path, size: int) -> str:
    """The tickets alone and the whole check, each as a ratio to node."""
    node = float(subprocess.run(["node", "-e", NODE, str(path)], check=True, capture_output=True, text=True).stdout)
    page.evaluate("document.getElementById('files-in').onchange = null")
    page.set_input_files("#files-in", path)
    file = page.locator("#files-in")
    hashing = file.evaluate(HASHING)
    whole, said = file.evaluate(WHOLE)
    return (
        f"{size} subjects: tickets {hashing:.0f} ms ({hashing / node:.2f} x node's crypto, {node:.0f} ms), "
        f"whole check {whole:.0f} ms ({whole / node:.2f} x): {said}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
