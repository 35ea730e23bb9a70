"""`make test`: finds the browser and PostgreSQL, runs every suite, and says last what passed and what did not run."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import databases
from tests.conftest import CHROMIUM_NAMES, NO_POSTGRES

ROOT = Path(__file__).resolve().parent.parent
NODE_TESTS = "tests/web"
NO_TESTS = 5  # pytest's exit code where a selection is empty


class Tally:
    """What the suites have counted so far."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.missing: dict[str, int] = {}

    def add(self, passed: int, failed: int, missing: dict[str, int]) -> None:
        """Takes in one suite."""
        self.passed += passed
        self.failed += failed
        for reason, count in missing.items():
            self.missing[reason] = self.missing.get(reason, 0) + count

    def closing_lines(self) -> list[str]:
        """The last lines: the plain count, then what did not run."""
        lines = [f"{self.passed} passed, {self.failed} failed"]
        if self.missing:
            listed = ", ".join(f"{count} ({reason})" for reason, count in sorted(self.missing.items()))
            lines.append(f"{self.passed} passed; NOT RUN: {listed}")
        return lines


def main() -> int:
    """Runs the suites one after the other, all of them whatever fails."""
    parser = argparse.ArgumentParser(prog="make test")
    parser.add_argument("--soak", action="store_true", help="the long sweeps")
    soak = ["--soak"] if parser.parse_args().soak else []
    _install_packages()
    tally = Tally()
    with ExitStack() as stack:
        _start_postgres(stack)
        _pytest(tally, ["-m", "not serial", "-n", "2", "--dist", "loadfile", *soak])
        _pytest(tally, ["-m", "serial", *soak])
        _node(tally)
    print("\n".join(tally.closing_lines()))
    return 1 if tally.failed or not tally.passed else 0


def _install_packages() -> None:
    """Takes the system's browser, and a font that has our characters, where they are missing and we may."""
    wanted = []
    if not os.environ.get("SUIJIAN_CHROMIUM") and not any(map(shutil.which, CHROMIUM_NAMES)):
        wanted.append("chromium")
    if not any(Path("/usr/share/fonts").rglob("NotoSansCJK*")):
        wanted.append("fonts-noto-cjk")
    if not wanted or os.getuid() != 0 or shutil.which("apt-get") is None:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], env=environment, check=False)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *wanted]
    subprocess.run(install, env=environment, check=False)


def _start_postgres(stack: ExitStack) -> None:
    """One PostgreSQL for all suites, instead of one for each process."""
    binaries = databases.postgres_binaries()
    if os.environ.get("SUIJIAN_TEST_POSTGRES") or binaries is None:
        return
    try:
        os.environ["SUIJIAN_TEST_POSTGRES"] = stack.enter_context(databases.postgres_server(binaries))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as fault:
        print(f"PostgreSQL did not start ({NO_POSTGRES}): {fault}")


def _pytest(tally: Tally, arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="suijian-tally-") as folder:
        path = Path(folder) / "tally.json"
        command = [sys.executable, "-m", "pytest", "-q", "--tally", str(path), *arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        counted = json.loads(path.read_text()) if path.exists() else {"passed": 0, "failed": 1, "missing": {}}
    tally.add(**counted)
    if code not in (0, NO_TESTS) and not counted["failed"]:
        tally.failed += 1  # a collection that broke, or a warning that nobody counted


def _node(tally: Tally) -> None:
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / NODE_TESTS).glob("*.test.mjs"))
    if not files:
        return
    ran = subprocess.run(
        ["node", "--test", "--test-reporter=spec", *files], cwd=ROOT, check=False, capture_output=True, text=True
    )
    print(ran.stdout[-6000:] if ran.returncode else "\n".join(ran.stdout.splitlines()[-8:]), ran.stderr, sep="\n")
    passed, failed = (_count(word, ran.stdout) for word in ("pass", "fail"))
    tally.add(passed, failed or int(ran.returncode != 0), {})


def _count(word: str, output: str) -> int:
    found = re.search(rf"^\S+ {word} (\d+)$", output, re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
