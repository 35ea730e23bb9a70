"""The verifier on the console and alone: 0 green, 1 red, 2 unreadable, and a sentence whatever the bytes are."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from server.standalone import verify_draw
from tests.running import ROOT

HOSTILE = {
    "empty": b"",
    "NaN": b'{"t":"draw/1","no":NaN}\n',
    "lone surrogate": b'{"t":"draw/1","no":"\\ud800"}\n',
    "huge int": b'{"t":"draw/1","attempt":' + b"9" * 100_000 + b"}\n",
    "brackets": b"[" * 100_000,
    "keys twice": b'{"t":"draw/1","t":"draw/1"}\n',
    "not UTF-8": b'{"t":"draw/1","no":"\xff"}\n',
    "cut off": b'{"t":"draw/1","frame":"914',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_answered_in_sentences(name: str) -> None:
    report = verify_draw.check(HOSTILE[name])
    verify_draw.check_chain([report])
    assert report.exit_code in (1, 2)
    assert report.faults


def test_the_console_cannot_read_a_file_that_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "verify-draw", str(tmp_path / "none.json"), "--lang", "en"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "can't be opened" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_file_runs_alone_in_an_empty_folder(tmp_path: Path) -> None:
    shutil.copy(ROOT / "server/standalone/verify_draw.py", tmp_path)
    (tmp_path / "draw.json").write_bytes(b'{"t":"draw/1"}\n')
    command = [sys.executable, "-I", "verify_draw.py", "draw.json", "--lang", "en"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
