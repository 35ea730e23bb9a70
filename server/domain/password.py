"""What a password must be (NIST SP 800-63B): long, not common, not the user's name; nothing about kinds of letters."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from server.domain.faults import Fault

SHORTEST: Final = 10
LONGEST: Final = 200

COMMON: Final = frozenset(
    """
    1234567890 0123456789 1111111111 0000000000 1122334455 12345678910 123456789a a123456789 1q2w3e4r5t qwertyuiop
    q1w2e3r4t5 1qaz2wsx3edc asdfghjkl; zaq12wsxcde abcdefghij abcd123456 abc1234567 password12 password123 passw0rd123
    password1234 1234567890a iloveyou12 iloveyou123 woaini1314 woaini5201314 5201314520 5201314woaini administrator
    admin12345 admin123456 administrator1 root123456 test123456 letmein123 welcome123 welcome1234 changeme123
    yingjiguanli anquanshengchan suijian123 suijian1234 qwerty12345 qwerty123456 asdfghjkl123 zxcvbnm123 1234554321
    0987654321 9876543210 1357924680 2468013579 13145201314 woaizhongguo zhongguo123 nanyang123 wolong1234
    """.split()  # noqa: SIM905  # a list of fifty quoted words is harder to read
)
"""Passwords that everybody tries first; what repeats or counts is found without a list."""


def password_faults(field: str, password: str, username: str) -> list[Fault]:
    """What is wrong with a new password of this user; the password itself is in no fault."""
    if not password:
        return [Fault(field, "missing")]
    if len(password) < SHORTEST:
        return [Fault(field, "password_short", {"n": len(password), "least": SHORTEST})]
    if len(password) > LONGEST:
        return [Fault(field, "password_long", {"n": len(password), "most": LONGEST})]
    if username and username.casefold() in password.casefold():
        return [Fault(field, "password_is_name")]
    return [Fault(field, "password_common")] if _is_common(password) else []


def _is_common(password: str) -> bool:
    plain = password.casefold()
    return plain in COMMON or len(set(plain)) < 4 or _counts(plain)


def _counts(text: str) -> bool:
    """Whether every character is the next, or the last, of the one before: "abcdefghij", "9876543210"."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1}, {0})
