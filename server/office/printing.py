"""Printing: sheets become PDFs that lie in the store by their digest, each set in type once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from server.domain.document_sheet import Sheet
from server.papers.press import Press
from server.store.files import FileStore


class Paper(msgspec.Struct, frozen=True):
    """The bytes of a printed document, by their digest."""

    sha256: str
    size: int


class Printer:
    """Prints for one request, under the bureau's name. What it has printed once it gives again.

    A sheet is printed before the act begins, with the number that is next, so that no act holds a number while type is
    set; where somebody else took that number meanwhile, it is printed again within the act.
    """

    def __init__(self, press: Press, files: FileStore, org: str) -> None:
        self.org = org
        self._press, self._files = press, files
        self._made: dict[tuple[bytes, bool], Paper] = {}

    def paper_of(self, sheet: Sheet, *, named: bool) -> Paper:
        """The paper of a sheet, durably stored."""
        key = (msgspec.json.encode(sheet, order="deterministic"), named)
        if key not in self._made:
            images = [one.image for one in sheet.signers if one.image is not None]
            pdf = self._press.pull(sheet, self._paths(images), named=named)
            self._made[key] = Paper(*self._files.put([pdf]))
        return self._made[key]

    def _paths(self, images: Sequence[str]) -> dict[str, Path]:
        paths = {image: self._files.path(image) for image in images}
        return {image: path for image, path in paths.items() if path.is_file()}
