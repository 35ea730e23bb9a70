"""What is shown of a phone or an ID number to those who may not read it."""

from __future__ import annotations


def mask_phone(text: str) -> str:
    """A phone with its middle hidden: `138****5678`; of a short one only the last two characters are shown."""
    if len(text) >= 8:
        return f"{text[:3]}****{text[-4:]}"
    return "" if text == "" else f"****{text[-2:] if len(text) > 4 else ''}"


def mask_id(text: str) -> str:
    """An ID number of which only the first and the last character are shown."""
    return f"{text[0]}{'*' * 16}{text[-1]}" if len(text) > 2 else "*" * len(text)
