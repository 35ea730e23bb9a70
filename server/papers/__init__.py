"""Papers: a document's sheet set in type as a PDF, by typst, from data alone, in a child process under limits."""

from __future__ import annotations
