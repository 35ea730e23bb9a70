"""Suijian (随检): the server of the inspection bureau."""

from typing import Final

__version__: Final = "0.1.0"
