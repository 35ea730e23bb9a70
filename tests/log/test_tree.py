"""The tree is kept in tiles, grown in batches behind the acts, and read a few rows a proof."""

from __future__ import annotations

from random import Random

import pymerkle
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from server.domain.merkle import inclusion_spans, is_consistent, is_included, leaf_hash
from server.store import log
from server.store.session import Database
from server.store.tables import log_tile
from tests.log.scene import write_many

SIZE = 66_000
"""More than one tile of the second level: 65,536 leaves fill the first."""


def build(db: Database, most: int = log.BATCH) -> None:
    while not db.run_write(lambda conn: log.build(conn, most)):
        pass


def test_however_the_tree_grew_the_tiles_are_the_same(any_database: Database) -> None:
    random, tiles, size = Random(5), sa.select(log_tile).order_by(log_tile.c.level, log_tile.c.place), 0
    while size < 1500:
        count = random.choice((1, 2, 3, 250, 256, 257))
        write_many(any_database, count)
        size += count
        build(any_database, random.choice((1, 100, 256, 1000)) if count < 10 else 300)
    with any_database.read() as conn:
        grown = [tuple(row) for row in conn.execute(tiles)]
        assert log.built(conn) == size
    with any_database.write() as conn:
        conn.execute(sa.delete(log_tile))
        conn.execute(sa.text("UPDATE counter SET value = 0 WHERE name = 'log'"))
    build(any_database)
    with any_database.read() as conn:
        assert [tuple(row) for row in conn.execute(tiles)] == grown
        theirs = pymerkle.InmemoryTree(algorithm="sha256")
        theirs.append_entries([b'{"n":%d}' % n for n in range(1, size + 1)])
        assert log.root(conn, size) == theirs.get_root(size)


@pytest.fixture(scope="module")
def oracle() -> pymerkle.InmemoryTree:
    found = pymerkle.InmemoryTree(algorithm="sha256")
    found.append_entries([b'{"n":%d}' % n for n in range(1, SIZE + 1)])
    return found


def test_proofs_from_the_tiles_agree_with_pymerkle_and_read_a_few_rows(
    database: Database, oracle: pymerkle.InmemoryTree
) -> None:
    write_many(database, SIZE)
    build(database)
    read: list[int] = []
    event.listen(database.engine, "after_cursor_execute", lambda *given: read.append(1))
    random, proofs = Random(9), 0
    with database.read() as conn:
        for size in [1, 255, 256, 257, 65_535, 65_536, 65_537, SIZE, *(random.randrange(1, SIZE) for _ in range(25))]:
            index, first = random.randrange(size), random.randrange(1, size + 1)
            before = len(read)
            path, root = log.inclusion(conn, index, size), log.root(conn, size)
            steps = log.consistency(conn, first, size)
            assert len(read) - before <= 3
            assert root == oracle.get_root(size)
            assert [leaf_hash(b'{"n":%d}' % (index + 1)), *path] == oracle.prove_inclusion(index + 1, size).path
            assert is_included(leaf_hash(b'{"n":%d}' % (index + 1)), index, size, path, root)
            assert is_consistent(first, oracle.get_root(first), size, root, steps)
            proofs += 2
        tiles = {tile for span in inclusion_spans(SIZE // 2, SIZE) for tile in log.tiles_under(span)}
    print(f"{proofs} proofs of up to {SIZE} entries; one of the largest reads {len(tiles)} tiles of 8 KB")
    assert proofs >= 60
    assert len(tiles) <= 6


def test_a_hole_in_the_trail_is_never_signed_over(database: Database) -> None:
    write_many(database, 10)
    with database.write() as conn:
        conn.exec_driver_sql("DROP TRIGGER trail_no_delete")
        conn.exec_driver_sql("DELETE FROM trail WHERE n = 4")
    with pytest.raises(RuntimeError, match="hole between its entries 1 and 10"):
        build(database)
