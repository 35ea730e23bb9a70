"""The language of an answer: chosen by cookie, else by the browser, else Chinese."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request

from server.errors import Problem
from server.words import Words, language_of

LANGUAGE_COOKIE: Final = "suijian-language"


def words_for(request: Request[Any, Any, Any]) -> Words:
    """The words in the reader's language."""
    return Words(language_of(request.headers.get("accept-language"), request.cookies.get(LANGUAGE_COOKIE)))


def sentence_for(request: Request[Any, Any, Any], problem: Problem) -> str:
    """What a problem says, in the reader's language."""
    return problem.sentence("en" if words_for(request).language == "en" else "zh")
