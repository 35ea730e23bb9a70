"""Known ways to get the merge wrong: each, applied to a copy of the tree, is killed by the tests that it names.

A mutant is a patch whose head says, before the first `---`, what goes wrong and on lines `Killed by: <test>` by which
tests: a test of pytest by its id, or a `.mjs` file for node. Each of them has to fail on the mutant, and all of them
have to pass on the tree as it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MUTANTS = sorted(HERE.glob("*.patch"))
#: What the spec names; a mutant may have more than one patch, as `dup-without-hash-compare-2.patch`.
NAMED = {
    "last-writer-wins", "arrival-order", "clock-supersession", "remove-wins", "base-at-save", "cursor-by-sequence",
    "ack-before-commit", "drop-on-4xx", "clear-on-401", "dup-without-hash-compare", "version-vector-in-the-digest",
    "quarantined-op-supersedes", "base-believed", "ctx-believed", "weak-counted-as-current",
}  # fmt: skip

pytestmark = pytest.mark.serial


def killers_of(patch: Path) -> list[str]:
    """The tests that a patch names."""
    head, _, _ = patch.read_text().partition("\n--- ")
    return re.findall(r"^Killed by: (\S+)$", head, re.MULTILINE)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the tree that may be broken."""
    copy = tmp_path_factory.mktemp("mutants") / "tree"
    copy.mkdir()
    leave = shutil.ignore_patterns("node_modules", "vendor", "__pycache__", "pictures", "*.pyc")
    for name in ("server", "tests", "web"):
        shutil.copytree(ROOT / name, copy / name, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ("node_modules", "vendor"):
        if (ROOT / "web" / name).exists():
            (copy / "web" / name).symlink_to(ROOT / "web" / name)
    yield copy
    shutil.rmtree(copy)


def failing(tree: Path, tests: list[str]) -> tuple[set[str], str]:
    """Which of the tests fail in that tree, and what was said; a run that breaks off fails them all."""
    said, failed = "", set()
    for test in tests:
        if test.endswith(".mjs"):
            run = run_in(tree, "node", "--test", test)
            failed |= {test} if run.returncode else set()
            said += run.stdout
    others = [test for test in tests if not test.endswith(".mjs")]
    if others:
        run = run_in(tree, sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", *others)
        named = {line.split()[1].partition("[")[0] for line in run.stdout.splitlines() if line.startswith("FAILED ")}
        failed |= named if run.returncode in (0, 1) else set(others)
        said += run.stdout + run.stderr
    return failed, said


def run_in(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the copy, importing from there."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


def apply(tree: Path, patch: Path, *more: str) -> None:
    """Applies a patch to the copy; git finds its place as long as the lines themselves are still there."""
    run = ["git", "apply", "--recount", "-C1", *more, str(patch)]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    subprocess.run(run, cwd=tree, env=environment, check=True, capture_output=True, text=True)


def test_every_mutant_that_the_protocol_names_has_a_patch() -> None:
    have = {re.sub(r"-\d$", "", patch.stem) for patch in MUTANTS}
    assert have >= NAMED
    assert all(killers_of(patch) for patch in MUTANTS)


def test_the_tests_that_kill_mutants_pass_on_the_tree_as_it_is(tree: Path) -> None:
    failed, said = failing(tree, sorted({test for patch in MUTANTS for test in killers_of(patch)}))
    assert failed == set(), said


@pytest.mark.parametrize("patch", MUTANTS, ids=lambda patch: patch.stem)
def test_a_mutant_is_killed_by_every_test_that_it_names(tree: Path, patch: Path) -> None:
    apply(tree, patch)
    try:
        failed, said = failing(tree, killers_of(patch))
    finally:
        apply(tree, patch, "-R")
    assert set(killers_of(patch)) - failed == set(), said
