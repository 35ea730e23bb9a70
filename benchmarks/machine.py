"""The machine under the measurement, and what a process and its children have cost it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def split_cores() -> tuple[set[int], set[int]]:
    """The core of the server and that of the client; the same where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return {cores[0]}, {cores[-1]}


def file_system(folder: Path) -> str:
    """The type of the file system that a folder lies on: `ext4`, or `tmpfs`, which proves nothing."""
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if str(folder.resolve()).startswith(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def description(folder: Path) -> dict[str, str]:
    """What a reader needs to compare: processor, memory, disk, versions, commit, date, and how busy the machine was."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next(line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _git("rev-parse", "--short=12", "HEAD")
        + (" with changes" if _git("status", "--porcelain", "server") else ""),
        "processor": f"{cpu}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{int(memory) / 1e6:.0f} GB",
        "file system": file_system(folder),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load at the start (1 min)": f"{os.getloadavg()[0]:.1f}",
    }


def cpu_ms(pid: int) -> float:
    """CPU time of a process and all its descendants, dead ones included, in ms.

    Living threads are read in nanoseconds from `schedstat`; ended children are in the ticks of their parent's `stat`.
    """
    total = 0.0
    for one in _family(pid):
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                total += int(Path(f"/proc/{one}/task/{task}/schedstat").read_text().split()[0]) / 1e6
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[13]) + int(fields[14])) * 1000 / TICKS
        except FileNotFoundError:
            continue
    return total


def peak_memory(pid: int) -> int:
    """The most bytes of memory that a process and its descendants have held, each at its own peak."""
    total = 0
    for one in _family(pid):
        for line in _lines(f"/proc/{one}/status"):
            if line.startswith("VmHWM"):
                total += int(line.split()[1]) * 1024
    return total


def forget_peak(pid: int) -> None:
    """Begin anew with the peak memory."""
    for one in _family(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def _family(pid: int) -> list[int]:
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        children += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
