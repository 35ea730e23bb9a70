"""The rows that are measured: requests prepared ahead of the clock, played, and the server's CPU time read."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks import machine
from benchmarks.bureau import FINDINGS, PHOTOS, SIGNATURES, Bureau, Phone, Prepared
from benchmarks.hot import dearest
from benchmarks.wire import Answer, Request, Wire, play
from tests.running import Running

OPS = 60 + FINDINGS + PHOTOS + SIGNATURES
FILES = PHOTOS + SIGNATURES


@dataclass
class Figure:
    """What one row cost, per unit (a visit, a pull): CPU and wall in ms, bytes of both ways, the answers' times."""

    name: str
    phones: int
    cpu: float
    wall: float
    up: float
    down: float
    times: list[float] = field(default_factory=list)
    faults: int = 0

    def time(self, share: float) -> float:
        """The time under which this share of the answers came, in ms."""
        return sorted(self.times)[min(len(self.times) - 1, int(share * len(self.times)))] * 1000

    def __str__(self) -> str:
        return (
            f"{self.name:<44} {self.phones:>4} phones  {self.cpu:7.2f} CPU-ms {self.wall:8.2f} wall-ms "
            f"{self.up / 1000:8.2f} KB up {self.down / 1000:7.2f} KB down  "
            f"p50 {self.time(0.5):.0f} p99 {self.time(0.99):.0f} ms"
            + (f"  {self.faults} FAULTS" if self.faults else "")
        )


@dataclass
class Table:
    """All figures of a run."""

    floor: tuple[float, float] = (0.0, 0.0)
    figures: list[Figure] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)
    hot: dict[str, list[str]] = field(default_factory=dict)

    def add(self, figure: Figure) -> Figure:
        """Keep and print."""
        self.figures.append(figure)
        print(figure, flush=True)
        return figure

    def of(self, name: str, phones: int = 1) -> Figure:
        """The figure of a row."""
        return next(each for each in self.figures if each.name == name and each.phones == phones)


class Stage:
    """A server on one core, this client on the other, and the bureau beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bureau = Bureau(folder / "data")
        self.server_core, self.client_core = machine.split_cores()
        self._running = Running(folder / "data", SUIJIAN_LOG_LEVEL="warning")

    def __enter__(self) -> Stage:
        os.sched_setaffinity(0, self.server_core)
        self._running.start()
        os.sched_setaffinity(0, self.client_core)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running.kill()

    @property
    def pid(self) -> int:
        """The server's process."""
        if self._running.process is None:
            raise RuntimeError("The server isn't running.")
        return self._running.process.pid

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._running.port

    def play(self, name: str, parts: Sequence[Sequence[Request]], units: int) -> tuple[Figure, list[list[Answer]]]:
        """Play each part as one phone, all at once, and divide what it cost by the units."""
        cpu, wall = machine.cpu_ms(self.pid), time.perf_counter()
        answers = asyncio.run(play(self.port, parts))
        wall = (time.perf_counter() - wall) * 1000 / units
        cpu = (machine.cpu_ms(self.pid) - cpu) / units
        every = [answer for part in answers for answer in part]
        figure = Figure(
            name,
            len(parts),
            cpu,
            wall,
            sum(answer.up for answer in every) / units,
            sum(answer.down for answer in every) / units,
            [answer.seconds for answer in every],
            sum(answer.status >= 300 for answer in every),
        )
        return figure, answers

    def floor(self, visits: int) -> tuple[float, float]:
        """The floor on the server's core: CPU-ms and wall-ms of a visit."""
        out = subprocess.run(
            [sys.executable, "-m", "benchmarks.floor", str(self.folder / "floor"), str(visits)],
            cwd=machine.ROOT,
            check=True,
            capture_output=True,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.server_core),
        ).stdout.split()
        return float(out[0]), float(out[1])

    def visits(self, phones: int, each: int) -> list[list[Prepared]]:
        """New phones with so many recorded visits each."""
        crews = [self.bureau.phones(1)[0] for _ in range(phones)]
        mates = self.bureau.phones(2)
        return [
            [self.bureau.prepare(phone, visit) for visit in self.bureau.dispatch([phone, *mates], each)]
            for phone in crews
        ]


def measure_all(stage: Stage, *, quick: bool) -> Table:
    """Every row, one after the other; `quick` stops after those of one visit."""
    table = Table(floor=stage.floor(30))
    print(f"floor: {table.floor[0]:.2f} CPU-ms, {table.floor[1]:.2f} wall-ms a visit", flush=True)
    _warm(stage)
    for phones, each in ((1, 24), (16, 4), (64, 2)):
        pushes(stage, table, phones, each)
    again(stage, table)
    pulls(stage, table)
    first_sync(stage, table)
    if quick:
        return table
    table.notes["floor after"] = stage.floor(30)[0]
    growth(stage, table)
    storm(stage, table)
    minute(stage, table)
    for what in ("visit", "records", "first"):
        table.hot[what] = dearest(stage.folder / f"hot-{what}", what)
    return table


def _warm(stage: Stage) -> None:
    for one in stage.visits(2, 3):
        asyncio.run(play(stage.port, [[each for visit in one for each in (visit.records, visit.batch, *visit.photos)]]))


def pushes(stage: Stage, table: Table, phones: int, each: int) -> None:
    """Push of one visit as the app sends it, its parts, and with all files in one batch."""
    ways: dict[str, Callable[[Prepared], list[Request]]] = {
        "push of one visit": lambda one: [one.records, one.batch, *one.photos],
        "push of one visit, files in one batch": lambda one: [one.records, one.one_batch],
    }
    for name, way in ways.items():
        prepared = stage.visits(phones, each)
        table.add(stage.play(name, [[r for one in part for r in way(one)] for part in prepared], phones * each)[0])
        visits = [one.visit for part in prepared for one in part]
        found = stage.bureau.stored(visits)
        if found != (OPS * len(visits), FILES * len(visits)):
            raise RuntimeError(f"{name}: {found} records and files are here instead of {OPS} and {FILES} a visit.")
    prepared = stage.visits(phones, each)
    table.add(stage.play("its records alone", [[one.records for one in part] for part in prepared], phones * each)[0])
    table.add(
        stage.play("its photos alone", [[r for one in part for r in one.photos] for part in prepared], phones * each)[0]
    )


def again(stage: Stage, table: Table) -> None:
    """A phone that lost the answers asks what is there, for records and files: all is, so it sends nothing."""
    (prepared,) = stage.visits(1, 20)
    asyncio.run(play(stage.port, [[r for one in prepared for r in (one.records, one.one_batch)]]))
    asks = [
        stage.bureau.exchange(
            one.phone,
            push=[{"visit": one.visit, "ops": []}],
            pull={one.visit: one.phone.cursors[one.visit]},
            have_media=one.hashes,
        )
        for one in prepared
    ]
    table.add(stage.play("pushing again what is there", [asks], len(asks))[0])


def pulls(stage: Stage, table: Table) -> None:
    """A member pulls a colleague's ten changes, a whole visit, and nothing."""
    author, member, leader = stage.bureau.phones(3)
    visits = stage.bureau.dispatch([leader, author, member], 40)
    for phone in (author, member):
        phone.rev, phone.cursors = leader.rev, {}
    asyncio.run(
        play(stage.port, [[stage.bureau.prepare(author_of(author, visit), visit, 10).records for visit in visits]])
    )
    heads = {visit: stage.bureau.head_of(visit) for visit in visits}

    def ask(visit: str, cursor: int) -> Request:
        return stage.bureau.exchange(member, pull={visit: cursor}, assignments_rev=stage.bureau.rev_of(member))

    table.add(stage.play("pull of a whole visit", [[ask(visit, 3) for visit in visits]], len(visits))[0])
    asyncio.run(play(stage.port, [[stage.bureau.change(author_of(author, visit), visit, 10) for visit in visits]]))
    table.add(stage.play("pull of one changed visit", [[ask(visit, heads[visit]) for visit in visits]], len(visits))[0])
    table.add(
        stage.play("pull of nothing", [[ask(visit, heads[visit] + 10) for visit in visits * 5]], 5 * len(visits))[0]
    )


def author_of(phone: Phone, visit: str) -> Phone:
    """The phone, with a cursor for the visit."""
    phone.cursors.setdefault(visit, 3)
    return phone


def first_sync(stage: Stage, table: Table) -> None:
    """A new phone gets its 20 visits, their ops, and the checklists."""
    phones = [stage.bureau.phones(1)[0] for _ in range(10)]
    mates = stage.bureau.phones(2)
    parts = []
    for phone in phones:
        visits = stage.bureau.dispatch([phone, *mates], 20)
        first = stage.bureau.exchange(phone, pull={}, assignments_rev=0, epoch=None)
        second = stage.bureau.exchange(phone, pull=dict.fromkeys(visits, len(mates) + 1))
        parts.append([first, second, *stage.bureau.templates(phone)])
    figure, _ = stage.play("first sync of 20 visits with checklists", [[r for part in parts for r in part]], len(parts))
    table.add(figure)


def growth(stage: Stage, table: Table) -> None:
    """The records of a visit again, with 10 and 100 times as many visits stored."""
    stored, base = 30, 0.0
    for times in (1, 10, 100):
        missing = 30 * times - (stored if times > 1 else 30)
        if missing:
            load = stage.visits(3, missing // 3)
            asyncio.run(play(stage.port, [[one.records for one in part] for part in load]))
            stored += missing
        prepared = stage.visits(2, 10)
        figure = table.add(
            stage.play(f"records with {times} x the visits", [[o.records for o in part] for part in prepared], 20)[0]
        )
        base = base or figure.cpu
        table.notes[f"growth {times}"] = figure.cpu / base


def storm(stage: Stage, table: Table) -> None:
    """200 phones at once, each with one visit: records first, then photos."""
    prepared = [part[0] for part in stage.visits(200, 1)]
    machine.forget_peak(stage.pid)
    figure, answers = stage.play("200 phones at once", [[one.records, one.batch, *one.photos] for one in prepared], 200)
    table.add(figure)
    found = stage.bureau.stored([one.visit for one in prepared])
    table.notes |= {
        "storm drained": figure.wall * 200 / 1000,
        "storm records p99": _share([part[0].seconds for part in answers], 0.99),
        "storm faults": figure.faults,
        "storm lost or doubled": abs(OPS * 200 - found[0]) + abs(FILES * 200 - found[1]),
        "storm memory": machine.peak_memory(stage.pid) / 1e6,
    }


def minute(stage: Stage, table: Table) -> None:
    """1,000 phones a minute for 30 s: each comes at its own moment and pushes the records of a visit and its files."""
    prepared = [part[0] for part in stage.visits(500, 1)]

    async def arrive() -> list[float]:
        begun = asyncio.get_running_loop().time()

        async def one(at: int, visit: Prepared) -> list[float]:
            await asyncio.sleep(max(0.0, begun + at * 0.06 - asyncio.get_running_loop().time()))
            wire = Wire(stage.port)
            answers = [await wire.send(request) for request in (visit.records, visit.batch, *visit.photos)]
            wire.close()
            return [answer.seconds if answer.status < 300 else 999.0 for answer in answers]

        return [t for times in await asyncio.gather(*(one(at, v) for at, v in enumerate(prepared))) for t in times]

    times = asyncio.run(arrive())
    table.notes |= {"minute p50": statistics.median(times) * 1000, "minute p99": _share(times, 0.99) * 1000}


def _share(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
