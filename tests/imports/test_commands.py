"""`suijian import` and `suijian export`: 0 good, 1 found something, 2 can't run."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.store.session import open_database
from tests import databases
from tests.imports.bringing import csv_of
from tests.imports.test_life import rows
from tests.running import ROOT
from tests.scene import populate


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a small bureau."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "suijian.db").write_bytes(databases.migrated_file())
    db = open_database(f"sqlite:///{folder / 'suijian.db'}")
    populate(db)
    db.close()
    return folder


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The console command."""
    env = {"PATH": os.environ["PATH"], "HOME": str(data.parent), "SUIJIAN_DATA": str(data), "LANG": "zh_CN.UTF-8"}
    command = [sys.executable, "-X", "utf8", "-m", "server", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_a_sheet_is_checked_then_applied_then_written_again(data: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "名单.csv", tmp_path / "out.csv"
    file.write_bytes(csv_of([*rows(1, 2), *rows(3, 3, 联系电话="1")]))
    checked = run(data, "import", str(file), "--layout", "subjects", "--unit", "hazchem")
    lines = checked.stdout.splitlines()
    assert checked.returncode == 1, checked.stderr
    assert (
        lines[0]
        == "名单.csv:4: 联系电话: 电话 **** 既不是手机号，也不是座机号。 手机填 11 位；座机写成 0377-63123456。"
    )
    assert lines[1] == "新增 2, 有错 1" and lines[2].startswith("名单.csv: abandoned")
    file.write_bytes(csv_of(rows(1, 2)))
    applied = run(data, "import", str(file), "--layout", "subjects", "--unit", "hazchem", "--apply")
    assert applied.returncode == 0, applied.stderr
    assert ": applied (" in applied.stdout
    written = run(data, "export", str(out), "--layout", "subjects", "--unit", "hazchem")
    assert (written.returncode, written.stdout) == (0, f"{out}: 2 rows\n"), written.stderr
    with out.open(encoding="utf-8-sig", newline="") as read:
        assert {row["统一社会信用代码"] for row in csv.DictReader(read)} == {row[0] for row in rows(1, 2)}


def test_what_cannot_be_done_is_a_sentence(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"")
    empty = run(data, "import", str(file), "--layout", "subjects", "--unit", "hazchem")
    assert (empty.returncode, empty.stderr.strip()) == (
        2,
        "x.csv: 文件是空的。 请确认选对了文件，或下载模板填写后再导入。",
    )
    nobody = run(data, "import", str(file), "--layout", "subjects", "--unit", "nobody")
    assert (nobody.returncode, nobody.stderr) == (2, "There is no unit 'nobody'. The units are: hazchem, industry.\n")
    ending = run(data, "export", str(tmp_path / "x.ods"), "--layout", "subjects")
    assert (ending.returncode, ending.stderr) == (2, "'x.ods' ends neither in .xlsx nor in .csv.\n")
