"""A number that is shown once, on the answer to whoever gave a reason and the password, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from litestar import Response

from server.errors import Problem
from server.routes.forms import Filled, Form, fresh_password, refilled, run_act, wants_page
from server.routes.guards import Asked
from server.routes.pages import render
from server.store.people import Person
from server.store.session import Connection


def answer_reveal(
    request: Asked,
    form: Form,
    reveal: Callable[[Connection, Person, datetime], str],
    name_of: Callable[[Connection], str],
    back: str,
    again: Callable[[Filled, int], Response[str]],
) -> Response[Any]:
    """The page with the number, or the page of the person again with what hinders it; `reveal` is the act."""
    try:
        fresh_password(request, form)
        number = run_act(request, reveal)
    except Problem as problem:
        if not wants_page(request) or problem.code == "not_found":
            raise
        return again(*refilled(request, form, problem))
    with request.app.state.db.read() as conn:
        name = name_of(conn)
    return render(
        request,
        "officers_revealed",
        room="officers",
        whose=name,
        field=form.text("field"),
        number=number,
        reason=form.text("reason"),
        back=back,
    )
