"""How long the lot of officers takes, part by part: `python -m benchmarks.crews`."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from server.domain.crew import Visit, cap_of, in_order, leaders, lexmin, match, rounds_of, shuffle

Answer = TypeVar("Answer")


class Size(NamedTuple):
    """A task: visits on half-days, officers with some of the domains each, and the seconds that the aim allows."""

    name: str
    visits: int
    officers: int
    half_days: int
    domains: int
    held: int
    aim: float


SIZES: Final = (
    Size("a district's task, everybody fits", 200, 60, 20, 1, 1, 0.3),
    Size("a district's task, tight half-days", 200, 60, 8, 3, 2, 0.3),
    Size("a city's task, a fifth fits", 10_000, 2_000, 40, 10, 2, 10),
    Size("a city's task, half of them fit", 10_000, 2_000, 40, 4, 2, 10),
    Size("a city's task, everybody fits", 10_000, 2_000, 40, 1, 1, 10),
    Size("a city's task, tight half-days", 10_000, 2_000, 11, 10, 2, 10),
)


def task(size: Size, chance: random.Random) -> list[Visit]:
    """A task of this size: each visit wants one domain; 3 % of those who have it are on leave or have an interest."""
    numbers = [f"1614{n:06d}" for n in range(size.officers)]
    has = {o: set(chance.sample(range(size.domains), size.held)) for o in numbers}
    pools = [[o for o in numbers if domain in has[o]] for domain in range(size.domains)]
    half_days = [f"2026-09-{1 + at // 2:02d}/{'pm' if at % 2 else 'am'}" for at in range(size.half_days)]
    return in_order(
        Visit(
            f"91411303MA{at:08d}",
            2,
            half_days[at % size.half_days],
            tuple(o for o in chance.choice(pools) if chance.random() >= 0.03),
        )
        for at in range(size.visits)
    )


def seconds(work: Callable[[], Answer]) -> tuple[float, Answer]:
    """CPU seconds of this process, and the answer."""
    start = time.process_time()
    answer = work()
    return time.process_time() - start, answer


def measure(size: Size, chance: random.Random) -> float:
    """Print what each part of one size took; the whole, measured by itself, is the answer."""
    visits, seed = task(size, chance), "9f" * 32
    lengths = sorted(len(visit.elig) for visit in visits)
    print(
        f"{size.name}: {size.visits} visits x {size.officers} officers, {size.half_days} half-days, "
        f"lists {lengths[0]} / {lengths[len(lengths) // 2]} / {lengths[-1]}, {sum(lengths)} pairs hashed"
    )
    took_cap, cap = seconds(lambda: cap_of(visits, size.officers))
    took_first, (first, skips) = seconds(lambda: lexmin(seed, visits, cap))
    took_shuffle, teams = seconds(lambda: shuffle(seed, visits, first, cap, 1, rounds_of(visits)))
    took_lead, _ = seconds(lambda: leaders(seed, visits, teams))
    whole, _ = seconds(lambda: match(seed, visits, size.officers))
    why = {kind: sum(skip.why == kind for skip in skips) for kind in ("busy", "full", "needed")}
    print(
        f"  cap {cap} {took_cap:.3f} s, first assignment {took_first:.3f} s (skips {why}), "
        f"shuffle {took_shuffle:.3f} s, leaders {took_lead:.3f} s; "
        f"whole {whole:.3f} s (aim {size.aim:g}): {'met' if whole <= size.aim else 'MISSED'}"
    )
    return whole


def main() -> None:
    """Measure every size on one core."""
    for size in SIZES:
        measure(size, random.Random(20260908))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
