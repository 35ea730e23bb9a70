"""The acts on accounts, units, phones and one's own password."""

from __future__ import annotations

from collections.abc import Callable

from tests.office.accounts import add_account, add_unit
from tests.office.district import Office
from tests.office.walks import Step
from tests.phone import Phone
from tests.scene import PASSWORD

REASON = {"reason": "岗位调整"}


def _on_account(act: str, **form: str) -> Callable[[Office], Step]:
    def walk(office: Office) -> Step:
        account = add_account(office.db, disabled=act == "enable")
        return Step("admin", lambda: office.client("admin").post(f"/office/accounts/{account}/{act}", data=form))

    return walk


def _add(office: Office) -> Step:
    form = {"name": "新来的", "username": f"new{len(office.trail())}", "roles": "auditor"}
    return Step("admin", lambda: office.client("admin").post("/office/accounts/new", data=form))


def _change(office: Office) -> Step:
    account = add_account(office.db)
    form = {"name": "改了名的", "username": account, "roles": "steering_group"} | REASON
    return Step("admin", lambda: office.client("admin").post(f"/office/accounts/{account}", data=form))


def _password(office: Office) -> Step:
    account = add_account(office.db)
    client = office.client(account)
    form = {"old_password": PASSWORD, "new_password": "清晨六点的白河很安静", "again": "清晨六点的白河很安静"}
    return Step(account, lambda: client.post("/office/me/password", data=form))


def _revoke(office: Office) -> Step:
    phone = Phone(office.running.url, "sun").sign_in().enrol()
    form = {"reason": "手机丢了"}
    return Step("admin", lambda: office.client("admin").post(f"/office/devices/{phone.pen.rid}/revoke", data=form))


def _unit(path: str, **form: str) -> Callable[[Office], Step]:
    def walk(office: Office) -> Step:
        unit = add_unit(office.db) if path else ""
        address = f"/office/units{path.format(unit)}"
        return Step("admin", lambda: office.client("admin").post(address, data=form))

    return walk


WALKS = {
    "account.add": _add,
    "account.change": _change,
    "account.disable": _on_account("disable", **REASON),
    "account.enable": _on_account("enable", **REASON),
    "account.reset": _on_account("reset"),
    "password.change": _password,
    "device.revoke": _revoke,
    "unit.add": _unit("", name="应急指挥中心", kind="section"),
    "unit.change": _unit("/{}", name="危险化学品监管二股", kind="section"),
    "unit.close": _unit("/{}/close", **REASON),
}
