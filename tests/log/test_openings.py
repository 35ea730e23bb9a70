"""What the bureau made public is what its log says: anybody checks that, from the file to the signed root."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pymerkle
import pytest
import sqlalchemy as sa

from server.office import log as office
from server.office.log import Log
from server.store import tables
from server.store.session import Database
from tests import databases
from tests.dispatching import database_of
from tests.log.scene import later, verified
from tests.office.test_publication import Bureau
from tests.running import Running
from tests.scene import populate
from tests.tasking import Tasking


class Stranger:
    """Somebody who has an address, SHA-256, and a Merkle tree of his own."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        keys = [one["key"] for one in self.json("/log/keys")["keys"]]
        _, size, root = verified(self.http.get("/log/checkpoint").text, keys)
        self.entries = self.json("/log/entries", start=0, end=size - 1)["entries"]
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        tree.append_entries([one["leaf"].encode() for one in self.entries])
        assert tree.get_root(size) == root, "the leaves are those that were signed"
        self.leaves = [json.loads(one["leaf"]) for one in self.entries]

    def json(self, path: str, **asked: int) -> Any:
        answer = self.http.get(path, params=asked or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def finds(self, act: str, digest: str) -> bool:
        """Whether an entry of this act says this digest, opened by what the log gives for it."""
        for index, leaf in enumerate(self.leaves):
            if leaf["act"] == act:
                given = self.json("/log/opening", index=index)
                opened = hashlib.sha256(bytes.fromhex(given["key"]) + digest.encode()).hexdigest()
                if leaf["after"] == opened:
                    return bool(given["after"] == digest)
        return False


@contextmanager
def stranger(db: Database, server: Running) -> Iterator[Stranger]:
    """He comes after all of it was signed."""
    Log(db, server.data / "keys", server.url).sign(later(1))
    with server.client() as client:
        yield Stranger(client)


@pytest.fixture
def bureau(server: Running) -> Iterator[Bureau]:
    made = Bureau(server)
    yield made
    made.close()


def test_a_published_file_leads_to_the_signed_root_by_its_hash_and_an_altered_one_does_not(bureau: Bureau) -> None:
    no = bureau.published()
    correction = bureau.correction(no)
    bureau.post("principal", f"/corrections/{correction}/sign", seen=bureau.seen(correction))
    with stranger(bureau.db, bureau.server) as anyone:
        for act, version in (("result.publish", "v1"), ("correction.sign", "v2")):
            content = anyone.http.get(f"/results/{no}/{version}.json").content
            altered = content.replace("溢彩".encode(), "溢采".encode())
            assert altered != content
            assert anyone.finds(act, hashlib.sha256(content).hexdigest()), act
            assert not anyone.finds(act, hashlib.sha256(altered).hexdigest()), act
        page = anyone.http.get(f"/results/{no}").text
        href = re.search(r"/log/opening\?index=\d+", page)
        assert href is not None
        assert anyone.json(href[0])["after"] == hashlib.sha256(content).hexdigest()


@pytest.fixture
def drawing(tmp_path: Path) -> Iterator[tuple[Database, Running]]:
    (tmp_path / "suijian.db").write_bytes(databases.migrated_file())
    running = Running(tmp_path)
    db = database_of(running)
    populate(db)
    yield db, running.start()
    db.close()
    running.kill()


def test_a_draw_s_commitment_and_its_file_are_found_by_their_hashes(drawing: tuple[Database, Running]) -> None:
    db, server = drawing
    its = Tasking(db, server.data / "keys", is_peopled=True)
    its.drawn(its.task("t1", n=11))
    with stranger(db, server) as anyone:
        (link,) = anyone.json("/draws/chain.json")["sdraw1"]
        assert anyone.finds("draw.commit", link["commit"])
        assert anyone.finds("draw.run", link["files"][-1]["sha256"])
        assert not anyone.finds("draw.commit", "0" * 64)


def test_what_is_not_public_is_opened_for_nobody_and_no_key_is_a_salt(bureau: Bureau) -> None:
    bureau.published()
    with stranger(bureau.db, bureau.server) as anyone:
        acts = [leaf["act"] for leaf in anyone.leaves]
        assert {act.partition(".")[0] for act in office.OPEN} == {"result", "correction", "draw", "list"}
        hidden = [index for index, act in enumerate(acts) if act not in office.OPEN]
        for index in hidden:
            assert anyone.http.get("/log/opening", params={"index": index}).status_code == 404, acts[index]
        assert len(hidden) > 20
        given = anyone.json("/log/opening", index=acts.index("result.publish"))
        assert set(given) == {"index", "n", "after", "key"}
        with bureau.db.read() as conn:
            assert given["key"][:32] not in {bytes(salt).hex() for salt in conn.scalars(sa.select(tables.trail.c.salt))}
