"""HTTP only: read the request, check the guard, call one function, shape the answer."""

from __future__ import annotations

from importlib import import_module

ROOMS = (
    "home",
    "me",
    "accounts",
    "units",
    "phones",
    "permissions",
    "trail",
    "log",
    "rules",
    "calendar",
    "code_sets",
    "items",
    "subjects",
    "officers",
    "imports",
    "province",
    "plans",
    "tasks",
    "draws",
    "crews",
    "publication",
    "documents",
    "objections",
    "non_random",
)
MODULES = (
    *(
        "health",
        "schema",
        "static",
        "session",
        "devices",
        "tus",
        "media",
        "sync",
        "visits",
        "public",
        "public_tasks",
        "public_draws",
        "public_results",
        "public_objections",
        "public_ledger",
        "log",
        "office",
    ),
    *(f"rooms.{name}" for name in ROOMS),
)
"""The modules of this package that serve something; each exports `router` or `handlers`."""


def all_handlers() -> list[object]:
    """What `create_app` registers."""
    found: list[object] = []
    for name in MODULES:
        module = import_module(f"{__name__}.{name}")
        found += module.handlers if hasattr(module, "handlers") else [module.router]
    return found
