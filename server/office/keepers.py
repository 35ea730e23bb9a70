"""Which library belongs to a layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from server.office.libraries import Library, Place
from server.office.people_libraries import Agencies, Experts, Officers
from server.office.subject_library import Subjects

LIBRARIES: Final[dict[str, Callable[[Place], Library]]] = {
    "subjects": Subjects,
    "officers": Officers,
    "experts": Experts,
    "agencies": Agencies,
}
"""By the id of the layout."""


def library_of(layout: str, place: Place) -> Library:
    """The library of a layout, as it is seen from a place."""
    return LIBRARIES[layout](place)
