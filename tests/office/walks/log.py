"""The acts on the trail itself."""

from __future__ import annotations

import sqlalchemy as sa

from server.store import tables
from tests.office.accounts import add_account
from tests.office.district import Office
from tests.office.walks import Step


def _erase(office: Office) -> Step:
    account = add_account(office.db)
    office.client("admin").post(f"/office/accounts/{account}/reset", data={}).raise_for_status()
    with office.db.read() as conn:
        n = conn.scalar(sa.select(sa.func.max(tables.trail.c.n)).where(tables.trail.c.object == f"account:{account}"))
    form = {"reason": "本人要求删除多余的个人信息"}
    return Step("steering", lambda: office.client("steering").post(f"/office/trail/{n}/erase", data=form))


WALKS = {"trail.erase": _erase}
