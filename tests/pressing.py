"""Several people who press at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

from server.errors import Problem


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What each of these was told: `done`, or the code of its problem."""
    barrier, said = Barrier(len(calls)), [""] * len(calls)

    def press(n: int) -> None:
        barrier.wait()
        try:
            calls[n]()
            said[n] = "done"
        except Problem as problem:
            said[n] = problem.code

    threads = [Thread(target=press, args=(n,)) for n in range(len(calls))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return said
