#!/usr/bin/env python3
"""Checks published draws (draw/1): 核对双随机抽取文件. One file, nothing but Python 3.9 or newer.

    python3 verify_draw.py FILE...                 every part, green or red
    python3 verify_draw.py FILE --code 9141...     and what the lot said of this subject
    python3 verify_draw.py FILE --expect DIGEST    and compare with the slip that was written down at the draw

It ends with 0 (all green), 1 (red: a line "part: sentence" for each fault) or 2 (a file can't be read).
`check(bytes)` and `check_chain(reports)` do the work; they print nothing and raise nothing.
"""

# ruff: noqa: B905, SIM905 - zip(strict=) is not in Python 3.9; names in one text are easier to compare with the format
from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

GOOD, RED, UNREADABLE = 0, 1, 2
ZEROS = "0" * 64
RESERVE = 10
LEAST_BITS = 60
LARGEST = 2**53 - 1
DEEPEST = 16
#: Why a subject of the list doesn't take part.
LEFT_OUT = {
    "DRAWN_TWICE": "本年度已被抽查两次",
    "DEREGISTERED": "已注销",
    "SUSPENDED": "停业",
    "OUT_OF_FILTER": "不在定向范围内",
    "NO_AUTHORITY": "由其他层级监管",
    "UNDER_OTHER_CASE": "另案处理中",
}
HEX = re.compile(r"[0-9a-f]{64}")
STRATUM = re.compile(r"[A-Z][A-Z0-9_]*")
CODE = re.compile(r"[!-`{-~]+")  # printable ASCII without blanks and small letters
NUMBER = re.compile(r"\S+")
DOMAINS = re.compile(r"-|[^\s,]+(,[^\s,]+)*")
HALF_DAY = re.compile(r"\d{4}-\d\d-\d\d/(am|pm)", re.ASCII)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
DUE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def digest(text: str) -> str:
    """H of the specification; what can't be written as UTF-8 was refused before."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short(value: str) -> str:
    """A digest as it stands on the slip: the first 16 characters, in fours."""
    return "-".join(value[at : at + 4].upper() for at in range(0, 16, 4))


# --- What is said ----------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """A sentence about one part, in both languages."""

    part: str
    zh: str
    en: str


class Report:
    """What was found in one file: its content, the faults, and the lines that a reader follows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Said] = []
        self.lines: list[Said] = []
        self.content: dict[str, Any] = {}
        self.unreadable = False
        self.file_digest = ""
        self.subjects: Lot | None = None
        self.tickets: dict[str, list[tuple[str, str]]] = {}
        self.quotas: dict[str, int] = {}
        self.effective: list[str] | None = None

    @property
    def exit_code(self) -> int:
        return UNREADABLE if self.unreadable else RED if self.faults else GOOD

    @property
    def parts(self) -> set[str]:
        """The parts that have a fault."""
        return {fault.part for fault in self.faults}

    def fault(self, part: str, zh: str, en: str) -> None:
        self.faults.append(Said(part, zh, en))

    def line(self, part: str, zh: str, en: str) -> None:
        self.lines.append(Said(part, zh, en))


class Faulty(Exception):
    """A part that can't be gone on with; its text is the sentence."""

    def __init__(self, part: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.said = Said(part, zh, en)


def show(value: object, most: int = 60) -> str:
    """A value from the file, short, on one line and harmless to a terminal."""
    text = value if isinstance(value, str) else ascii(value)
    text = text if len(text) <= most else text[:most] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# --- The form: JCS and one line feed ---------------------------------------------------------------------------------


class Strange:
    """A number that draw/1 doesn't know: a fraction, NaN, or one too long."""

    def __init__(self, text: str) -> None:
        self.text = text[:20]

    def __repr__(self) -> str:
        return self.text


class Unclean(Exception):
    """A value that has no canonical form."""


def _whole(text: str) -> object:
    return int(text) if len(text) <= 17 and abs(int(text)) <= LARGEST else Strange(text)


def parse(text: str) -> Any:
    """JSON as it stands; of keys that occur twice the last counts, the canonical form shows them."""
    return json.loads(text, parse_int=_whole, parse_float=Strange, parse_constant=Strange)


quoted = json.JSONEncoder(ensure_ascii=False).encode


def canonical(value: Any, depth: int = 0) -> str:
    """RFC 8785 for what draw/1 uses: whole numbers, texts, lists, objects, true, false, null."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if type(value) is int:
        return str(value)
    if depth >= DEEPEST:
        raise Unclean(f"nested deeper than {DEEPEST}")
    if isinstance(value, list):
        return "[" + ",".join([canonical(item, depth + 1) for item in value]) + "]"
    if isinstance(value, dict):
        pairs = [f"{quoted(k)}:{canonical(value[k], depth + 1)}" for k in _keys_in_order(value)]
        return "{" + ",".join(pairs) + "}"
    raise Unclean(f"the number {value}")


def _keys_in_order(value: dict[str, Any]) -> list[str]:
    """By UTF-16 code units, as RFC 8785 wants it."""
    return sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def part_at(text: str, end: int) -> str | None:
    """The part of the file that the character at `end` belongs to: the last key met at the first and second depth."""
    keys, depth, key_next = ["", ""], 0, False
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]', text[: end + 1], re.DOTALL):
        token = found.group()
        if token in "{[":
            depth, key_next = depth + 1, token == "{"
            if depth == 2:
                keys[1] = ""
        elif token in "}]":
            depth, key_next = depth - 1, False
        elif token == ",":
            key_next = True
        elif token == ":":
            key_next = False
        elif key_next and 1 <= depth <= 2 and re.match(r'"[a-z_]+"$', token):
            keys[depth - 1 :] = [token[1:-1], ""][: 3 - depth]
            key_next = False
    return part_of(*keys)


#: Keys of the file that are checked under another part's name.
_UNDER = {
    "frame_digest": "frame",
    "rules_digest": "rules",
    "committed_at": "commit",
    "prev": "commit",
    "cap": "teams",
    "visits": "officers",
    "slots": "officers",
    "alg": "officers",
}
_INNER = {"frame", "rules", "commit", "secret", "seed", "sources", "contributions", "void"}
PARTS = (
    "form frame rules commit sources contributions secret seed quotas winners reserve excused officers officers.frame "
    "officers.rules officers.commit officers.sources officers.contributions officers.secret officers.seed "
    "officers.void teams leaders direct merged replaced experts record chain void floor"
).split()


def part_of(key: str, inner: str = "") -> str | None:
    """The part that a key of the file (and, in `officers`, the key below) is checked under."""
    name = _UNDER.get(key, key)
    if key == "officers" and inner:
        below = _UNDER.get(inner, inner)
        name = f"officers.{below}" if below in _INNER else below
    return name if name in PARTS else None


def read(report: Report, body: bytes) -> dict[str, Any] | None:
    """The content of a file, where it is one; its form is checked to the byte."""
    report.file_digest = sha256(body).hexdigest()
    text = body.decode("utf-8", "replace")
    try:
        exact = body.decode("utf-8")
        value = parse(exact)
    except UnicodeDecodeError as fault:
        at = len(body[: fault.start].decode("utf-8"))
        _cannot_read(report, text, at, f"第 {fault.start} 字节不是 UTF-8", f"byte {fault.start} is not UTF-8")
        return None
    except json.JSONDecodeError as fault:
        _cannot_read(report, text, fault.pos, f"第 {fault.pos} 个字符处不是 JSON", f"no JSON at {fault.pos}")
        return None
    except (RecursionError, MemoryError):
        _cannot_read(report, "", 0, "嵌套过深", "nested too deep")
        return None
    except ValueError:
        _cannot_read(report, "", 0, "不是 JSON", "no JSON")
        return None
    if not isinstance(value, dict):
        _cannot_read(report, "", 0, "不是一个对象", "not an object")
        return None
    if value.get("t") != "draw/1":
        kind = show(value.get("t"))
        _cannot_read(report, text, 0, f"不是 draw/1 文件（t 为 {kind}）", f"no draw/1 file (t is {kind})")
        return None
    _check_form(report, exact, value)
    return value


def _cannot_read(report: Report, text: str, at: int, zh: str, en: str) -> None:
    """Says why a file can't be read, and in which part it is broken as far as that can be told."""
    report.unreadable = True
    report.fault("form", f"读不出来：{zh}。", f"can't be read: {en}.")
    if not text.lstrip().startswith("{"):
        return
    named = part_at(text, at)
    lost = lost_parts(text, at) if '"draw/1"' in text or '"winners"' in text else set()
    for part in sorted(lost | ({named} if named else set())):
        report.fault(part, "文件在这一部分被改坏。", "the file is broken in this part.")


def lost_parts(text: str, at: int) -> set[str]:
    """The parts whose keys a broken text has no more; many keys stand twice, in the file and in its officers' part."""
    start = text.find('"officers":{')
    in_officers = 0 <= start < at < text.rfind('"prev":')
    lost = set()
    for key in {*KEYS, *(CREW_KEYS if start >= 0 else ())}:
        wanted = (key in KEYS) + (start >= 0 and key in CREW_KEYS)
        if text.count(f'"{key}":') < wanted:
            lost.add(part_of("officers", key) if in_officers or key not in KEYS else part_of(key))
    return {part for part in lost if part}


def _check_form(report: Report, text: str, value: dict[str, Any]) -> None:
    try:
        wanted = canonical(value) + "\n"
        wanted.encode("utf-8")
    except Unclean as fault:
        report.fault("form", f"含有不允许的内容：{fault}。", f"holds what isn't allowed: {fault}.")
        return
    except UnicodeEncodeError:
        report.fault("form", "含有不成对的代理字符。", "holds a lone surrogate.")
        return
    if text == wanted:
        report.line(
            "form", "文件形式：RFC 8785 加一个换行，逐字节相符", "form: RFC 8785 and one line feed, to the byte"
        )
        return
    at = next((i for i, (a, b) in enumerate(zip(text, wanted)) if a != b), min(len(text), len(wanted)))
    zh, en = (
        f"第 {at} 个字符起不是规范形式（RFC 8785 加一个换行）。",
        f"not canonical (RFC 8785 and one LF) from {at} on.",
    )
    report.fault("form", zh, en)
    part = part_at(text, at) if 0 < at < len(text) - 2 else None
    if part:
        report.fault(part, "这一部分的写法不是规范形式。", "this part isn't written in the canonical form.")


# --- Shapes ----------------------------------------------------------------------------------------------------------

KEYS = (
    "t no office task attempt prev frame frame_digest rules rules_digest sources commit committed_at contributions "
    "secret seed quotas winners reserve excused officers void record"
).split()
LOT_KEYS = (
    "attempt prev frame frame_digest rules rules_digest sources commit committed_at contributions secret seed void"
).split()
CREW_KEYS = [*LOT_KEYS, *"alg visits cap slots teams leaders direct merged replaced".split()]
#: What a joint participant, whose subjects another bureau drew, has not.
NOT_JOINT = "prev frame frame_digest rules rules_digest commit committed_at secret seed".split()


def is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def is_digest(value: object) -> bool:
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def is_time(value: object) -> bool:
    """RFC 3339, UTC, with milliseconds, and a day that exists."""
    return isinstance(value, str) and TIME.fullmatch(value) is not None and _exists(value[:-1])


def is_due(value: object) -> bool:
    found = DUE.fullmatch(value) if isinstance(value, str) else None
    return found is not None and _exists(found.group(1))


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_names(value: object) -> bool:
    """A list of different texts."""
    return isinstance(value, list) and all(map(is_text, value)) and len(set(value)) == len(value)


def is_sorted_names(value: object) -> bool:
    return is_names(value) and value == sorted(value)  # type: ignore[call-overload]


def is_flag(value: object) -> bool:
    return value is True or value is False


def or_null(test: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or test(value)


Shape = dict[str, Callable[[object], bool]]
SOURCE: Shape = {"id": is_text, "kind": is_text, "bits": is_count, "what": is_text, "due": is_due}
CONTRIBUTION: Shape = {"k": is_text, "v": is_text, "at": is_time, "by": is_text, "evidence": or_null(is_digest)}
EXCUSED: Shape = {"code": is_text, "reason": is_text, "next": or_null(is_text)}
VOID: Shape = {"reason": is_text, "by": is_text, "at": is_time}
VISIT: Shape = {
    "s": is_text,
    "k": is_count,
    "half_day": lambda value: isinstance(value, str) and HALF_DAY.fullmatch(value) is not None and _exists(value[:10]),
    "elig": is_sorted_names,
}
DIRECT: Shape = {"s": is_text, "o": is_sorted_names, "leader": is_text, "reason": is_text, "by": is_text, "at": is_time}
MERGED: Shape = {
    "o": is_text,
    "office": is_text,
    "consent": is_text,
    "reason": is_text,
    "by": is_text,
    "at": is_time,
}
LENT: Shape = {"o": is_text, "office": is_text, "consent": is_text}
LEFT: Shape = {"o": is_text, "reason": is_text}
REPLACED: Shape = {
    "s": is_text,
    "out": is_text,
    "in": is_text,
    "attempt": is_count,
    "kind": is_text,
    "reason": is_text,
    "by": is_text,
    "at": is_time,
    "designated": is_flag,
    "elig": is_sorted_names,
    "left_out": lambda value: isinstance(value, list),
}
EXPERT: Shape = {
    "s": is_text,
    "o": is_names,
    "how": lambda value: value in ("lot", "appointed"),
    "elig": is_names,
    "reason": or_null(lambda value: isinstance(value, str)),
}
JOINT: Shape = {"lead": is_text, "document": is_text, "sha256": is_digest, "codes": is_sorted_names}
FLOOR: Shape = {
    "why": lambda value: value in ("campaign", "override", "statutory", "joint"),
    "document": is_text,
}


def shaped(report: Report, part: str, value: object, shape: Shape, optional: Shape | None = None) -> bool:
    """Whether a value is an object with just these keys, each as it should be; what isn't is told."""
    if not isinstance(value, dict):
        report.fault(part, f"应为一个对象，而不是 {show(value)}。", f"should be an object, not {show(value)}.")
        return False
    good = known_keys(report, part, value, shape, optional or ())
    for key, test in {**shape, **(optional or {})}.items():
        if key in value and not test(value[key]):
            zh, en = f"“{key}”的值 {show(value[key])} 不合规定。", f"'{key}' can't be {show(value[key])}."
            report.fault(part, zh, en)
            good = False
    return good


def known_keys(
    report: Report, part: str, value: dict[str, Any], keys: Iterable[str], optional: Iterable[str] = ()
) -> bool:
    """Whether all the keys are there and no other."""
    lost = [key for key in keys if key not in value]
    unknown = [key for key in value if key not in keys and key not in optional]
    for key in lost:
        where = part_of(key) or part if part == "form" else part_of("officers", key) or part
        where = where if part in ("form", "officers") else part
        report.fault(where, f"缺少“{key}”。", f"'{key}' is missing.")
    for key in unknown:
        report.fault(part, f"有未知的键“{show(key)}”。", f"unknown key '{show(key)}'.")
    return not lost and not unknown


def all_shaped(report: Report, part: str, value: object, shape: Shape, optional: Shape | None = None) -> bool:
    """The same for a list of them."""
    if not isinstance(value, list):
        report.fault(part, f"应为一个列表，而不是 {show(value)}。", f"should be a list, not {show(value)}.")
        return False
    good = [shaped(report, part, item, shape, optional) for item in value]  # each is told what is wrong with it
    return all(good)


def by_stratum(report: Report, part: str, value: object, test: Callable[[object], bool]) -> bool:
    """Whether a value is an object whose members are all as they should be."""
    if isinstance(value, dict) and all(test(item) for item in value.values()):
        return True
    report.fault(part, f"不合规定：{show(value)}。", f"is not as it should be: {show(value)}.")
    return False


# --- A lot: frame, rules, commitment, contributions, seed ------------------------------------------------------------


class Lot:
    """What subjects' and officers' draws have in common, as far as it could be read."""

    def __init__(self, report: Report, content: dict[str, Any], alg: str) -> None:
        self.report, self.content, self.alg = report, content, alg
        self.under = "" if alg == "sdraw1" else "officers."
        self.rows: list[tuple[str, str, str, str]] | None = None
        self.rules: dict[str, Any] | None = None
        self.seed: str | None = None

    def fault(self, part: str, zh: str, en: str) -> None:
        self.report.fault(self.under + part, zh, en)

    def line(self, part: str, zh: str, en: str) -> None:
        self.report.line(self.under + part, zh, en)

    @property
    def taking_part(self) -> list[tuple[str, str]]:
        """(name, stratum or domains) of the E rows."""
        return [row[:2] for row in self.rows or () if row[2] == "E"]

    def check(self) -> None:
        self._frame()
        self._rules()
        sources = self._sources()
        self._contributions(sources)
        self._commit()
        self._seed()
        self._void()

    # The list.

    def _frame(self) -> None:
        text = self.content["frame"]
        if not isinstance(text, str):
            self.fault("frame", "名单应为文本。", "the list should be a text.")
            return
        if self.content["frame_digest"] != digest(text):
            self.fault("frame", "名单的摘要与所载不符。", "the list doesn't have the digest that is written there.")
        try:
            self.rows = self._read_rows(text)
        except Faulty as fault:
            self.fault("frame", fault.said.zh, fault.said.en)
            return
        taking = len(self.taking_part)
        self.line(
            "frame",
            f"名单：{len(self.rows)} 个，参加 {taking}，不参加 {len(self.rows) - taking}{self._reasons('zh')}；"
            f"摘要 {digest(text)}",
            f"list: {len(self.rows)} rows, {taking} take part, {len(self.rows) - taking} don't{self._reasons('en')}; "
            f"digest {digest(text)}",
        )

    def _read_rows(self, text: str) -> list[tuple[str, str, str, str]]:
        if not text.endswith("\n"):
            raise Faulty(
                "frame", "名单应以换行结尾且不为空。", "the list should end with a line feed and not be empty."
            )
        rows: list[tuple[str, str, str, str]] = []
        before = ""
        good = _is_subject_row if self.alg == "sdraw1" else _is_officer_row
        for number, line in enumerate(text[:-1].split("\n"), 1):
            row = tuple(line.split("\t"))
            if len(row) != 4 or not good(row):
                raise Faulty("frame", f"第 {number} 行不合规定：{show(line)}", f"line {number} is wrong: {show(line)}")
            if row[0] <= before:
                raise Faulty(
                    "frame",
                    f"第 {number} 行重复或未按顺序：{show(row[0])}",
                    f"line {number} is a duplicate or out of order: {show(row[0])}",
                )
            before = row[0]
            rows.append(row)
        return rows

    def _reasons(self, lang: str) -> str:
        counts: dict[str, int] = {}
        for row in self.rows or ():
            if row[2] == "X":
                counts[row[3]] = counts.get(row[3], 0) + 1
        said = [
            f"{reason} {LEFT_OUT.get(reason, '') if lang == 'zh' else ''} {n}" for reason, n in sorted(counts.items())
        ]
        return " (" + ", ".join(" ".join(one.split()) for one in said) + ")" if said else ""

    # The rules.

    def _rules(self) -> None:
        text = self.content["rules"]
        if not isinstance(text, str):
            self.fault("rules", "规则应为文本。", "the rules should be a text.")
            return
        if self.content["rules_digest"] != digest(text):
            self.fault("rules", "规则的摘要与所载不符。", "the rules don't have the digest that is written there.")
        try:
            rules = parse(text)
            if not isinstance(rules, dict) or canonical(rules) != text:
                raise ValueError
        except (ValueError, Unclean, RecursionError):
            self.fault("rules", "规则不是规范的 JSON 对象。", "the rules are no canonical JSON object.")
            return
        before = len(self.report.faults)
        (self._subject_rules if self.alg == "sdraw1" else self._officer_rules)(rules)
        if rules.get("task") != self.report.content["task"]:
            self.fault("rules", "规则里的任务号不是本文件的。", "the task of the rules is not this file's.")
        sources = self.content["sources"]
        listed = sources if isinstance(sources, list) else []
        named = [source.get("id") if isinstance(source, dict) else None for source in listed]
        if rules.get("sources") != named:
            self.fault("rules", "规则里的随机源与所列不同。", "the sources of the rules are not those listed.")
        if len(self.report.faults) == before:
            self.rules = rules
            self.line(
                "rules", f"规则：{show(text, 400)}；摘要 {digest(text)}", f"rules: {show(text, 400)}; {digest(text)}"
            )

    def _subject_rules(self, rules: dict[str, Any]) -> None:
        shape: Shape = {
            "alg": lambda value: value == "sdraw1",
            "filters": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
            "item": is_text,
            "mode": lambda value: value in ("ratio", "total"),
            "sources": is_names,
            "task": is_text,
            "year": is_count,
        }
        if rules.get("mode") == "total":
            shape.update(n=is_count, weights=lambda value: _is_shares(value, 1))
        else:
            shape.update(ratio_bp=lambda value: _is_shares(value, 0))
        floor = {"base": is_count, "floor": lambda value: isinstance(value, dict)}
        if not shaped(self.report, "rules", rules, shape, floor):
            return
        if "floor" in rules:
            shaped(self.report, "floor", rules["floor"], FLOOR)
        shares = rules["weights" if rules["mode"] == "total" else "ratio_bp"]
        for stratum in sorted({row[1] for row in self.taking_part} - set(shares)):
            self.fault("rules", f"没有规定“{show(stratum)}”类的比例或权重。", f"there is no share for {show(stratum)}.")
        if rules["mode"] == "total" and self.rows is not None and rules["n"] > len(self.taking_part):
            self.fault("rules", "要抽取的多于参加抽取的。", "more are to be drawn than take part.")

    def _officer_rules(self, rules: dict[str, Any]) -> None:
        shape: Shape = {
            "alg": lambda value: value == "omatch1",
            "rounds": is_count,
            "slots": lambda value: is_count(value) and value != 0,
            "sources": is_names,
            "task": is_text,
            "visits": is_digest,
            "year": is_count,
        }
        if not shaped(self.report, "officers.rules", rules, shape):
            return
        visits = self.content["visits"]
        if rules["visits"] != digest(canonical(visits)):
            self.fault("rules", "检查安排与规则里的摘要不符。", "the visits don't have the digest of the rules.")
        if rules["slots"] != self.content["slots"]:
            self.fault("rules", "每半天的次数与规则不符。", "the slots are not those of the rules.")
        wanted = 20 * sum(visit["k"] for visit in visits)
        if rules["rounds"] != wanted:
            self.fault("rules", f"轮数应为 {wanted}。", f"the rounds should be {wanted}.")

    # Where chance comes from.

    def _sources(self) -> list[dict[str, Any]] | None:
        sources = self.content["sources"]
        if not all_shaped(self.report, self.under + "sources", sources, SOURCE):
            return None
        if len({source["id"] for source in sources}) != len(sources):
            self.fault("sources", "随机源编号重复。", "a source occurs twice.")
        for source in sources:
            if least_length(source) is None:
                what = f"{show(source['kind'])} {source['bits']}"
                self.fault(
                    "sources", f"没有这样的随机源或位数不对：{what}。", f"no such source, or wrong bits: {what}."
                )
        bits = sum(source["bits"] for source in sources)
        if bits < LEAST_BITS:
            self.fault(
                "sources", f"外部随机性只有 {bits} 位，少于 60 位。", f"only {bits} bits from outside, 60 are needed."
            )
        self.line(
            "sources",
            f"随机源：{'；'.join(show(source['what']) for source in sources)}（共 {bits} 位）",
            f"sources: {'; '.join(show(source['what']) for source in sources)} ({bits} bits)",
        )
        return list(sources)

    def _contributions(self, sources: list[dict[str, Any]] | None) -> None:
        given = self.content["contributions"]
        if not all_shaped(self.report, self.under + "contributions", given, CONTRIBUTION):
            return
        committed_at = self.content["committed_at"]
        for one in given:
            if is_time(committed_at) and one["at"] < committed_at:
                what = show(one["k"])
                self.fault("contributions", f"{what} 早于承诺。", f"{what} was there before the commitment.")
            if one["v"] != " ".join(unicodedata.normalize("NFKC", one["v"]).split()):
                what = show(one["v"])
                self.fault("contributions", f"{what} 的写法不规范。", f"{what} is not in its normal form.")
        if sources is None:
            return
        wanted = [source["id"] for source in sources]
        named = [one["k"] for one in given]
        whole = self.content["seed"] is not None
        if named != (wanted if whole else wanted[: len(named)]):
            self.fault(
                "contributions", "与所列随机源不一一对应。", "they are not those of the sources, in their order."
            )
        for one, source in zip(given, sources):
            least = least_length(source)
            if least is not None and not fits(one["v"], source["kind"], least):
                what = f"{show(one['k'])} = {show(one['v'])}"
                self.fault("contributions", f"{what} 不是这种随机源的结果。", f"{what} is no result of such a source.")
            late = is_time(one["at"]) and one["at"][:19] > _utc(source["due"])
            text = f"{show(one['k'])} = {show(one['v'])}, {one['at']}, {show(one['by'])}"
            self.line(
                "contributions",
                f"外部随机数：{text}{'（晚于约定时间）' if late else ''}",
                f"contribution: {text}{' (after its deadline)' if late else ''}",
            )

    # The commitment and the seed.

    def _commit(self) -> None:
        content = self.content
        for key in ("commit", "secret"):
            if not is_digest(content[key]):
                self.fault(key, f"{key} 应为 64 位小写十六进制。", f"'{key}' should be 64 lower-case hex digits.")
        if not is_digest(content["prev"]):
            self.fault("commit", "上一个承诺（prev）不合规定。", "'prev' is no digest.")
        if not is_time(content["committed_at"]):
            self.fault("commit", "承诺时间不合规定。", "the time of the commitment is wrong.")
        known = ("prev", "frame", "rules", "secret", "commit")
        if not all(isinstance(content[key], str) for key in known):
            return
        whole = (content["prev"], digest(content["frame"]), digest(content["rules"]), digest(content["secret"]))
        wanted = digest(f"{self.alg}|commit|" + "|".join(whole))
        if wanted != content["commit"]:
            self.fault(
                "commit",
                "承诺不是由上一个承诺、名单、规则和密数算出的。",
                "the commitment doesn't come from prev, list, rules and secret.",
            )
            if content["frame_digest"] == whole[1] and content["rules_digest"] == whole[2]:
                self.fault("secret", "密数打不开这个承诺。", "the secret doesn't open this commitment.")
            return
        self.line(
            "commit",
            f"承诺：{short(wanted)}（{wanted}），{content['committed_at']} 公布，请与当时抄下的核对",
            f"commitment: {short(wanted)} ({wanted}), published {content['committed_at']}: compare with the slip",
        )

    def _seed(self) -> None:
        content = self.content
        if content["seed"] is None:
            if content["void"] is None:
                self.fault("seed", "没有种子，也没有作废。", "there is no seed, and it isn't void.")
            else:
                self.line("seed", "抽取前已作废，没有种子", "void before the draw: no seed")
            return
        if not is_digest(content["seed"]):
            self.fault("seed", "种子应为 64 位小写十六进制。", "the seed should be 64 lower-case hex digits.")
            return
        self.seed = content["seed"]
        given = content["contributions"]
        if not isinstance(content["commit"], str) or not isinstance(content["secret"], str) or not _are_pairs(given):
            return
        parts = [f"{self.alg}|seed", content["commit"], content["secret"]]
        wanted = digest("|".join(parts + [digest(f"{one['k']}={one['v']}") for one in given]))
        if wanted != content["seed"]:
            self.fault(
                "seed", "种子不是由承诺、密数和外部随机数算出的。", "the seed doesn't come from the contributions."
            )
            if self.under + "commit" not in self.report.parts:
                zh, en = (
                    "与种子不符：种子或某个外部随机数被改过。",
                    "they don't give the seed: it or one of them was changed.",
                )
                self.fault("contributions", zh, en)
            return
        self.line("seed", f"种子：{wanted}", f"seed: {wanted}")

    def _void(self) -> None:
        void = self.content["void"]
        attempt = self.content["attempt"]
        if not is_count(attempt) or attempt < 1:
            self.fault("chain" if not self.under else "commit", "次数应从 1 起。", "attempts count from 1.")
        if void is None or not shaped(self.report, self.under + "void", void, VOID):
            return
        if is_time(self.content["committed_at"]) and void["at"] < self.content["committed_at"]:
            self.fault("void", "作废早于承诺。", "it was void before it was committed.")
        who = f"{void['at']}, {show(void['by'])}: {show(void['reason'], 200)}"
        self.line("void", f"已作废：{who}", f"void: {who}")


def _is_subject_row(row: Sequence[str]) -> bool:
    code, stratum, kind, reason = row
    if kind == "E":
        return CODE.fullmatch(code) is not None and STRATUM.fullmatch(stratum) is not None and reason == "-"
    return kind == "X" and CODE.fullmatch(code) is not None and stratum == "-" and reason in LEFT_OUT


def _is_officer_row(row: Sequence[str]) -> bool:
    number, domains, kind, reason = row
    if NUMBER.fullmatch(number) is None or DOMAINS.fullmatch(domains) is None:
        return False
    return reason == "-" if kind == "E" else kind == "X" and STRATUM.fullmatch(reason) is not None


def _is_shares(value: object, least: int) -> bool:
    return isinstance(value, dict) and all(
        STRATUM.fullmatch(key) is not None and is_count(share) and share >= least for key, share in value.items()
    )


def _are_pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and isinstance(one.get("k"), str) and isinstance(one.get("v"), str) for one in value
    )


def _utc(due: str) -> str:
    """A deadline in UTC, to the second."""
    found = DUE.fullmatch(due)
    if found is None:
        return due
    zone = "+00:00" if found.group(3) == "Z" else found.group(3)
    try:
        at = datetime.fromisoformat(found.group(1) + zone)
        return (at.replace(tzinfo=None) - (at.utcoffset() or at - at)).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return due


def least_length(source: dict[str, Any]) -> int | None:
    """How many faces or digits (or 1) a result of this source has at least; None where its bits are wrong."""
    kind, bits = source["kind"], source["bits"]
    if kind in ("lottery", "beacon", "digits"):
        return 1 if bits == {"lottery": 61, "beacon": 256, "digits": 0}[kind] else None
    rate = {"dice": 258, "public_digits": 332}.get(kind)
    if rate is None or bits == 0:
        return None
    n = -(-100 * bits // rate)
    return n if n * rate // 100 == bits else None


def fits(value: str, kind: str, least: int) -> bool:
    """Whether a contribution can be what such a source gives."""
    if kind == "lottery":
        numbers = value.split(" ")
        two = all(re.fullmatch(r"[0-9]{2}", number) and 1 <= int(number) <= 80 for number in numbers)
        return two and len(numbers) == 20 and numbers == sorted(set(numbers))
    if kind == "beacon":
        return re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None
    if kind == "dice":
        return re.fullmatch(r"[1-6]( [1-6])*", value) is not None and len(value) // 2 + 1 >= least
    return re.fullmatch(r"[0-9]+", value) is not None and len(value) >= least


# --- Subjects: quotas and winners ------------------------------------------------------------------------------------


def quotas_of(counts: dict[str, int], rules: dict[str, Any], seed: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """How many each stratum gives, and the arithmetic in words (zh, en)."""
    if rules["mode"] == "ratio":
        quotas, said = {}, []
        for stratum in sorted(counts):
            n, share = counts[stratum], rules["ratio_bp"][stratum]
            quotas[stratum] = min(n, -(-n * share // 10000))
            sum_ = f"min({n}, ceil({n} × {share} / 10000)) = {quotas[stratum]}"
            said.append((f"{stratum}：{sum_}", f"{stratum}: {sum_}"))
        return quotas, said
    return _total_quotas(counts, rules, seed)


def _total_quotas(
    counts: dict[str, int], rules: dict[str, Any], seed: str
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    weights, left = rules["weights"], rules["n"]
    quotas, said, open_ = {}, [], set(counts)
    while open_:
        total = sum(counts[stratum] * weights[stratum] for stratum in open_)
        whole = sorted(stratum for stratum in open_ if left * weights[stratum] >= total)
        if not whole:
            break
        for stratum in whole:
            quotas[stratum] = counts[stratum]
            sum_ = f"{left} × {weights[stratum]} >= {total}"
            said.append((f"{stratum}：全部 {counts[stratum]}（{sum_}）", f"{stratum}: all {counts[stratum]} ({sum_})"))
        left -= sum(counts[stratum] for stratum in whole)
        open_ -= set(whole)
    if not open_:
        return quotas, said
    at = int(digest(f"{seed}|Q|round"), 16) % total
    said.append((f"起点 u = {at}，W = {total}，余 {left}", f"start u = {at}, W = {total}, left {left}"))
    for stratum in sorted(open_, key=lambda name: digest(f"{seed}|Q|{name}")):
        then = at + left * counts[stratum] * weights[stratum]
        quotas[stratum] = then // total - at // total
        sum_ = f"floor({then} / {total}) - floor({at} / {total}) = {quotas[stratum]}"
        said.append((f"{stratum}：{sum_}", f"{stratum}: {sum_}"))
        at = then
    return quotas, said


def tickets_of(rows: Iterable[tuple[str, str]], seed: str) -> dict[str, list[tuple[str, str]]]:
    """Each stratum's (ticket, code), smallest first."""
    start = sha256(f"{seed}|S|".encode())
    tickets: dict[str, list[tuple[str, str]]] = {}
    for code, stratum in rows:
        ticket = start.copy()
        ticket.update(code.encode())
        tickets.setdefault(stratum, []).append((ticket.hexdigest(), code))
    for one in tickets.values():
        one.sort()
    return tickets


def check_subjects(report: Report, lot: Lot) -> None:
    """Quotas, winners, reserve and the excused of the subjects' draw."""
    content = report.content
    good = by_stratum(report, "quotas", content["quotas"], is_count)
    good = by_stratum(report, "winners", content["winners"], is_names) and good
    good = by_stratum(report, "reserve", content["reserve"], is_names) and good
    good = all_shaped(report, "excused", content["excused"], EXCUSED) and good
    if not good:
        return
    if content["seed"] is None:
        for part in ("quotas", "winners", "reserve", "excused"):
            if content[part]:
                report.fault(part, "没有抽取，却有结果。", "there is a result without a draw.")
        report.effective = []
        return
    if lot.rows is None or lot.rules is None or lot.seed is None:
        return
    report.tickets = tickets_of(lot.taking_part, lot.seed)
    counts = {stratum: len(ones) for stratum, ones in report.tickets.items()}
    report.quotas, arithmetic = quotas_of(counts, lot.rules, lot.seed)
    _check_quotas(report, lot.rules, arithmetic)
    _check_winners(report)
    _check_excused(report)


def _check_quotas(report: Report, rules: dict[str, Any], arithmetic: list[tuple[str, str]]) -> None:
    if report.quotas != report.content["quotas"]:
        wanted, given = (show(canonical(one), 200) for one in (report.quotas, report.content["quotas"]))
        report.fault("quotas", f"应为 {wanted}，文件里是 {given}。", f"should be {wanted}, the file has {given}.")
    for zh, en in arithmetic:
        report.line("quotas", f"名额 {zh}", f"quota {en}")
    drawn = sum(report.quotas.values())
    if "base" not in rules:
        return
    sum_ = f"20 × {drawn} = {20 * drawn}, {rules['base']}"
    if 20 * drawn < rules["base"] and "floor" not in rules:
        report.fault("floor", f"低于百分之五的下限：{sum_}。", f"below the floor of one in twenty: {sum_}.")
    elif "floor" in rules:
        why = f"{rules['floor'].get('why')}: {show(rules['floor'].get('document'))}"
        report.line("floor", f"低于下限有依据：{why}", f"the floor need not hold: {why}")
    else:
        report.line("floor", f"不低于百分之五：{sum_}", f"at least one in twenty: {sum_}")


def _check_winners(report: Report) -> None:
    for part, zh, en in (("winners", "抽中", "drawn"), ("reserve", "候补", "reserve")):
        wanted = {}
        for stratum, ones in report.tickets.items():
            cut = report.quotas[stratum]
            took = ones[:cut] if part == "winners" else ones[cut : cut + RESERVE]
            wanted[stratum] = [code for _ticket, code in took]
        given = report.content[part]
        for stratum in sorted(set(wanted) | set(given)):
            if stratum not in wanted or given.get(stratum, []) != wanted[stratum]:
                report.fault(
                    part, f"“{show(stratum)}”类的{zh}名单与计算不符。", f"the {en} list of {show(stratum)} is another."
                )
            elif part == "winners":
                codes = show(" ".join(wanted[stratum]), 400)
                report.line(part, f"{zh} {stratum}（{len(wanted[stratum])}）：{codes}", f"{en} {stratum}: {codes}")


def _check_excused(report: Report) -> None:
    strata = {code: stratum for stratum, ones in report.tickets.items() for _ticket, code in ones}
    order = {
        stratum: deque(code for _t, code in ones[report.quotas[stratum] :]) for stratum, ones in report.tickets.items()
    }
    effective = {code for stratum, ones in report.tickets.items() for _t, code in ones[: report.quotas[stratum]]}
    for one in report.content["excused"]:
        code = one["code"]
        if code not in effective:
            report.fault(
                "excused", f"{show(code)} 没有抽中，谈不上免检。", f"{show(code)} isn't on the list to be excused."
            )
            continue
        rest = order[strata[code]]
        wanted = rest.popleft() if rest else None
        if one["next"] != wanted:
            report.fault("excused", f"{show(code)} 之后应由 {wanted} 递补。", f"after {show(code)} comes {wanted}.")
        effective.discard(code)
        effective |= {wanted} if wanted else set()
        moved = f"{show(code)} → {show(one['next'])}: {show(one['reason'], 200)}"
        report.line("excused", f"抽中后免检并递补：{moved}", f"excused, the next moves up: {moved}")
    report.effective = sorted(effective)


# --- Officers: omatch1 -----------------------------------------------------------------------------------------------


class Matching:
    """Who visits whom, as a flow: a visit takes officers, an officer has room in half-days and in all.

    Visits and officers are positions here: visits in code order, officers in number order.
    """

    def __init__(
        self, needs: Sequence[int], halves: Sequence[str], elig: Sequence[Sequence[int]], officers: int, slots: int
    ) -> None:
        self.needs, self.halves, self.elig, self.slots = needs, halves, elig, slots
        self.cap = 0
        self.team: list[set[int]] = [set() for _ in needs]
        self.visits: list[set[int]] = [set() for _ in range(officers)]
        self.at: dict[tuple[int, str], set[int]] = {}
        self.fixed: list[set[int]] = [set() for _ in needs]

    def _take(self, s: int, o: int) -> None:
        self.team[s].add(o)
        self.visits[o].add(s)
        self.at.setdefault((o, self.halves[s]), set()).add(s)

    def _give_up(self, s: int, o: int) -> None:
        self.team[s].discard(o)
        self.visits[o].discard(s)
        self.at[o, self.halves[s]].discard(s)

    def fill(self, cap: int) -> bool:
        """Whether every visit can have its officers at this cap; keeps what it found so far."""
        self.cap = cap
        for s, need in enumerate(self.needs):
            while len(self.team[s]) < need:
                if not self._search(s, self.elig[s], None):
                    return False
        return True

    def force(self, s: int, o: int) -> bool:
        """Gives officer o to visit s for good, if all visits can still be filled."""
        if o not in self.team[s] and not self._search(s, (o,), s):
            return False
        self.fixed[s].add(o)
        return True

    def _search(self, start: int, first: Sequence[int], until: int | None) -> bool:
        """An augmenting path from visit `start`, whose first officer is one of `first`.

        It ends at an officer with room; when an officer is forced (`until` is the visit), also where that visit itself
        gives somebody up, and else it gives up any that isn't fixed.
        """
        came: dict[int, tuple[int, int]] = {}
        seen_half: set[tuple[int, str]] = set()
        seen_whole: set[int] = set()
        todo = deque([(start, first)])
        while todo:
            s, choice = todo.popleft()
            half = self.halves[s]
            for o in choice:
                if o in self.team[s] or o in seen_whole or (o, half) in seen_half:
                    continue
                seen_half.add((o, half))
                full = len(self.at.get((o, half), ())) >= self.slots
                if not full and len(self.visits[o]) < self.cap:
                    self._turn(came, start, s, o, until)
                    return True
                if not full:
                    seen_whole.add(o)
                for other in self.at[o, half] if full else self.visits[o]:
                    if other in came or o in self.fixed[other] or (other == start and until is None):
                        continue
                    came[other] = (s, o)
                    if other == until:
                        self._turn_back(came, start, other)
                        return True
                    todo.append((other, self.elig[other]))
        return False

    def _turn(self, came: dict[int, tuple[int, int]], start: int, s: int, o: int, until: int | None) -> None:
        if until is not None:
            self._give_up(until, next(iter(self.team[until] - self.fixed[until])))
        self._turn_back(came, start, s)
        self._take(s, o)

    def _turn_back(self, came: dict[int, tuple[int, int]], start: int, s: int) -> None:
        """Walks back from s: it gives up the officer that the one before takes."""
        while s in came:
            before, o = came.pop(s)
            self._give_up(s, o)
            self._take(before, o)
            s = before


class Crew(NamedTuple):
    """The visits of a matching, in code order, with officers as positions in number order."""

    names: list[str]
    needs: list[int]
    halves: list[str]
    elig: list[list[int]]
    officers: list[str]


def smallest_cap(crew: Crew, slots: int, least: int) -> tuple[int, Matching] | None:
    """The smallest cap, at least `least`, at which every visit has its officers, and such a matching."""
    flow = Matching(crew.needs, crew.halves, crew.elig, len(crew.officers), slots)
    for cap in range(least, max(least, len(crew.names)) + 1):
        if flow.fill(cap):
            return cap, flow
    return None


def lexmin(seed: str, crew: Crew, flow: Matching) -> list[list[int]]:
    """Visits in the order of their lot; each takes officers in the order of theirs, unless the rest couldn't be met."""
    for s in sorted(range(len(crew.names)), key=lambda s: digest(f"{seed}|O|{crew.names[s]}")):
        name = crew.names[s]
        for o in sorted(crew.elig[s], key=lambda o: digest(f"{seed}|P|{name}|{crew.officers[o]}")):
            if len(flow.fixed[s]) == crew.needs[s]:
                break
            flow.force(s, o)
    return [sorted(team) for team in flow.fixed]


class Words:
    """The random numbers of the shuffle: 32-bit words of SHA-256(seed|X|i), i from 0."""

    def __init__(self, seed: str) -> None:
        self.seed, self.block, self.words = seed, 0, deque([0] * 0)

    def below(self, n: int) -> int:
        while True:
            if not self.words:
                block = sha256(f"{self.seed}|X|{self.block}".encode()).digest()
                self.words.extend(int.from_bytes(block[at : at + 4], "big") for at in range(0, 32, 4))
                self.block += 1
            word = self.words.popleft()
            if word < 2**32 - 2**32 % n:
                return word % n


def shuffle(
    seed: str, crew: Crew, teams: Sequence[Sequence[int]], cap: int, slots: int, rounds: int
) -> list[list[int]]:
    """Walks at random through all the assignments that are allowed."""
    words = Words(seed)
    walk = [list(team) for team in teams]
    visits: list[list[int]] = [[] for _ in crew.officers]
    for s, team in enumerate(walk):
        for o in team:
            visits[o].append(s)
    places = [(s, seat) for s, need in enumerate(crew.needs) for seat in range(need)]
    for _ in range(rounds):
        s, seat = places[words.below(len(places))]
        visits[walk[s].pop(seat)].remove(s)
        while True:
            o = crew.elig[s][words.below(len(crew.elig[s]))]
            if o in walk[s]:
                continue
            busy = [other for other in visits[o] if crew.halves[other] == crew.halves[s]]
            if len(busy) >= slots:
                loser = busy[words.below(len(busy))] if len(busy) > 1 else busy[0]
            elif len(visits[o]) >= cap:
                loser = visits[o][words.below(len(visits[o]))]
            else:
                loser = -1
            if loser >= 0:
                visits[o].remove(loser)
                walk[loser].remove(o)
            walk[s].append(o)
            visits[o].append(s)
            if loser < 0:
                break
            s = loser
    return [sorted(team) for team in walk]


def least_cap(total: int, officers: int) -> int:
    """ceil(11 × sum of k / (10 × E rows))."""
    return -(-11 * total // (10 * officers)) if officers else 0


def leader_of(seed: str, s: str, team: Sequence[str], may: Sequence[str] | None) -> str:
    """The smallest lot among those who may lead; where nobody may, all may."""
    among = [o for o in team if may is None or o in may] or list(team)
    return min(among, key=lambda o: digest(f"{seed}|L|{s}|{o}"))


def check_officers(report: Report, officers: Any) -> Lot | None:
    """The crews: their own commitment and seed, the matching, and what was changed afterwards."""
    if not isinstance(officers, dict):
        report.fault("officers", f"应为一个对象：{show(officers)}。", f"should be an object: {show(officers)}.")
        return None
    if not known_keys(report, "officers", officers, CREW_KEYS, ("experts",)):
        return None
    good = all_shaped(report, "officers", officers["visits"], VISIT, {"lead": is_sorted_names})
    if officers["alg"] != "omatch1" or not is_count(officers["slots"]) or officers["slots"] < 1:
        report.fault("officers", "算法或每半天次数不合规定。", "'alg' or 'slots' is wrong.")
        good = False
    if not good:
        return None
    lot = Lot(report, officers, "omatch1")
    lot.check()
    numbers = {number for number, _domains in lot.taking_part}
    if lot.rows is not None:
        _check_visits(report, officers, numbers)
        _check_merged(report, officers["merged"], numbers)
        good = _check_direct(report, officers, numbers)
    if _check_teams(report, lot) and good:
        _check_replaced(report, lot, numbers)
    _check_experts(report, officers, numbers, lot.seed)
    return lot


def _check_visits(report: Report, officers: dict[str, Any], numbers: set[str]) -> None:
    names = [visit["s"] for visit in officers["visits"]]
    if names != sorted(set(names)):
        report.fault("officers", "检查安排重复或未按代码排序。", "the visits are not in code order, each once.")
    for visit in officers["visits"]:
        name = show(visit["s"])
        if report.effective is not None and visit["s"] not in report.effective:
            report.fault("officers", f"{name} 没有抽中。", f"{name} isn't on the list.")
        if visit["k"] < 2:
            report.fault("officers", f"{name} 少于两名执法人员。", f"{name}: fewer than two officers.")
        if not set(visit["elig"]) <= numbers:
            report.fault("officers", f"{name} 有名单外的人员。", f"{name}: somebody eligible is not on the list.")
        if not set(visit.get("lead", ())) <= set(visit["elig"]):
            report.fault("officers", f"{name} 的组长人选不合规定。", f"{name}: somebody may lead who isn't eligible.")


def _check_merged(report: Report, merged: object, numbers: set[str]) -> None:
    if not all_shaped(report, "merged", merged, MERGED):
        return
    for one in merged:  # type: ignore[attr-defined]
        if one["o"] not in numbers:
            report.fault("merged", f"{show(one['o'])} 不在名单上。", f"{show(one['o'])} isn't on the list.")
        who = f"{show(one['o'])}（{show(one['office'])}）{show(one['reason'], 200)}"
        report.line("merged", f"合并抽取：{who}", f"from another office, by the same lot: {who}")


def _check_direct(report: Report, officers: dict[str, Any], numbers: set[str]) -> bool:
    if not all_shaped(report, "direct", officers["direct"], DIRECT):
        return False
    seen = {visit["s"] for visit in officers["visits"]}
    for one in officers["direct"]:
        name = show(one["s"])
        if one["s"] in seen:
            report.fault("direct", f"{name} 已由抽签安排。", f"{name} has its crew by lot already.")
        if report.effective is not None and one["s"] not in report.effective:
            report.fault("direct", f"{name} 没有抽中。", f"{name} isn't on the list.")
        if len(one["o"]) < 2 or not set(one["o"]) <= numbers or one["leader"] not in one["o"]:
            report.fault("direct", f"{name} 的人员不合规定。", f"{name}: two officers of the list are needed.")
        seen.add(one["s"])
        who = f"{name}: {show(', '.join(one['o']))}; {show(one['reason'], 200)}"
        report.line("direct", f"直接指派（不是抽签）{who}", f"assigned directly, not by lot: {who}")
    return True


def _check_teams(report: Report, lot: Lot) -> bool:
    """Whether teams and leaders could be read; they are compared with the matching."""
    content = lot.content
    good = by_stratum(report, "teams", content["teams"], is_sorted_names) and by_stratum(
        report, "leaders", content["leaders"], is_text
    )
    if not is_count(content["cap"]):
        report.fault(
            "teams", f"每人上限不合规定：{show(content['cap'])}。", f"the cap can't be {show(content['cap'])}."
        )
        good = False
    if not good:
        return False
    if content["seed"] is None:
        if content["teams"] or content["cap"] != 0:
            report.fault("teams", "没有抽取，却有结果。", "there is a result without a draw.")
        if content["leaders"]:
            report.fault("leaders", "没有抽取，却有结果。", "there is a result without a draw.")
        return True
    if lot.seed is not None and lot.rows is not None and lot.rules is not None and "officers" not in report.parts:
        _compare_teams(report, lot)
    return True


def _compare_teams(report: Report, lot: Lot) -> None:
    content, seed, slots = lot.content, lot.seed or "", lot.content["slots"]
    crew = crew_of(content["visits"])
    least = least_cap(sum(crew.needs), len(lot.taking_part))
    found = smallest_cap(crew, slots, least)
    if found is None:
        report.fault("teams", "这样的安排无法满足，不会有结果。", "no assignment is possible, there can't be a result.")
        return
    cap, flow = found
    if cap != content["cap"]:
        report.fault(
            "teams", f"每人上限应为 {cap}，而不是 {content['cap']}。", f"the cap is {cap}, not {content['cap']}."
        )
    teams = shuffle(seed, crew, lexmin(seed, crew, flow), cap, slots, 20 * sum(crew.needs))
    wanted = {name: sorted(crew.officers[o] for o in team) for name, team in zip(crew.names, teams)}
    may = {visit["s"]: visit.get("lead") for visit in content["visits"]}
    for name in sorted(set(wanted) | set(content["teams"])):
        team = wanted.get(name)
        if content["teams"].get(name) != team:
            report.fault("teams", f"{show(name)} 的检查组应为 {team}。", f"the team of {show(name)} should be {team}.")
    for name in sorted(set(wanted) | set(content["leaders"])):
        leader = leader_of(seed, name, wanted[name], may[name]) if name in wanted else None
        if content["leaders"].get(name) != leader:
            report.fault("leaders", f"{show(name)} 的组长应为 {leader}。", f"{show(name)} should be led by {leader}.")
        else:
            who = show(", ".join(wanted[name]))
            zh = f"{show(name)}：{who}，组长 {show(leader)}"
            report.line("teams", f"检查组 {zh}", f"team of {show(name)}: {who}, led by {show(leader)}")


def crew_of(visits: Sequence[dict[str, Any]]) -> Crew:
    officers = sorted({number for visit in visits for number in visit["elig"]})
    place = {number: at for at, number in enumerate(officers)}
    return Crew(
        [visit["s"] for visit in visits],
        [visit["k"] for visit in visits],
        [visit["half_day"] for visit in visits],
        [[place[number] for number in visit["elig"]] for visit in visits],
        officers,
    )


def _check_replaced(report: Report, lot: Lot, numbers: set[str]) -> None:
    content = lot.content
    if not all_shaped(report, "replaced", content["replaced"], REPLACED, {"lent": lambda value: bool(value)}):
        return
    teams = {name: set(team) for name, team in content["teams"].items()}
    teams.update({one["s"]: set(one["o"]) for one in content["direct"]})
    elig = {visit["s"]: set(visit["elig"]) for visit in content["visits"]}
    left: dict[str, set[str]] = {}
    attempts: dict[str, int] = {}
    for one in content["replaced"]:
        s, name = one["s"], show(one["s"])
        if not all_shaped(report, "replaced", one["left_out"], LEFT):
            return
        if not all_shaped(report, "replaced", one.get("lent", []), LENT):
            return
        if s not in teams:
            report.fault("replaced", f"{name} 没有检查组。", f"{name} has no team.")
            continue
        attempts[s] = attempts.get(s, 0) + 1
        wrong = _what_is_wrong(one, teams[s], elig.get(s, set()) - left.get(s, set()), numbers, attempts[s], lot.seed)
        if wrong:
            report.fault("replaced", f"{name}：{wrong[0]}", f"{name}: {wrong[1]}")
        left.setdefault(s, set()).add(one["out"])
        teams[s] = (teams[s] - {one["out"]}) | {one["in"]}
        how = ("指定", "designated") if one["designated"] else ("按抽签顺序", "by lot")
        who = f"{name}: {show(one['out'])} → {show(one['in'])}"
        why = show(one["reason"], 200)
        report.line("replaced", f"更换（{how[0]}）{who}：{why}", f"replaced ({how[1]}) {who}: {why}")


def _what_is_wrong(
    one: dict[str, Any], team: set[str], elig: set[str], numbers: set[str], attempt: int, seed: str | None
) -> tuple[str, str] | None:
    """What is wrong with a replacement, if anything; `elig` are those of the visit who haven't left it."""
    lent = {person["o"] for person in one.get("lent", ())}
    if one["out"] not in team:
        return f"{show(one['out'])} 不在组里。", f"{show(one['out'])} isn't in the team."
    if one["in"] in team or one["in"] not in numbers | lent:
        return f"{show(one['in'])} 不能换入。", f"{show(one['in'])} can't come in."
    if one["attempt"] != attempt:
        return f"应为第 {attempt} 次更换。", f"this is replacement {attempt}."
    feasible = set(one["elig"])
    if feasible & team or not feasible <= elig | lent:
        return "可换入的人员不合规定。", "somebody is feasible who is in the team or was never eligible."
    unsaid = elig - feasible - team - {person["o"] for person in one["left_out"]}
    if unsaid:
        return f"没有说明为什么不是 {show(min(unsaid))}。", f"it isn't said why {show(min(unsaid))} was left out."
    if one["designated"]:
        return None
    if seed is None or not feasible:
        return "没有抽签，只能指定。", "without a lot it can only be designated."
    first = min(feasible, key=lambda o: digest(f"{seed}|R|{one['s']}|{o}|{attempt}"))
    return None if first == one["in"] else (f"按抽签顺序应为 {show(first)}。", f"the lot says {show(first)}.")


def _check_experts(report: Report, officers: dict[str, Any], numbers: set[str], seed: str | None) -> None:
    experts = officers.get("experts", [])
    if not all_shaped(report, "experts", experts, EXPERT):
        return
    known = {one["s"] for key in ("visits", "direct") for one in officers[key] if isinstance(one, dict) and "s" in one}
    for one in experts:
        name = show(one["s"])
        if one["s"] not in known:
            report.fault("experts", f"{name} 不在检查安排里。", f"{name} is no visit of this task.")
        if not one["o"] or numbers & set(one["o"]):
            zh, en = f"{name} 的专家空缺或是执法人员。", f"{name}: no expert, or one who is an officer of the list."
            report.fault("experts", zh, en)
        if one["how"] == "appointed" and not is_text(one["reason"]):
            report.fault("experts", f"{name} 指定专家没有理由。", f"{name}: appointed without a reason.")
        if one["how"] == "lot":
            order = sorted(one["elig"], key=lambda o: digest(f"{seed}|E|{one['s']}|{o}"))
            if seed is None or set(order[: len(one["o"])]) != set(one["o"]):
                report.fault("experts", f"{name} 的专家与抽签不符。", f"{name}: the lot gives other experts.")
        how = ("抽签", "by lot") if one["how"] == "lot" else ("指定", "appointed")
        who = f"{name}: {show(', '.join(one['o']))}"
        report.line("experts", f"专家（{how[0]}）{who}", f"experts ({how[1]}) {who}")


# --- One file --------------------------------------------------------------------------------------------------------


def check(body: bytes, name: str = "draw.json") -> Report:
    """Checks every part of one published file."""
    report = Report(name)
    content = read(report, body)
    if content is None:
        return report
    report.content = content
    if not known_keys(report, "form", content, KEYS, ("joint",)):
        _check_record(report)
        return report
    _check_head(report)
    if "joint" in content:
        _check_joint(report)
    else:
        report.subjects = Lot(report, content, "sdraw1")
        report.subjects.check()
        check_subjects(report, report.subjects)
    if content["officers"] is not None:
        check_officers(report, content["officers"])
    _check_record(report)
    return report


def _check_head(report: Report) -> None:
    for key, zh in (("no", "抽取编号"), ("office", "机关"), ("task", "任务号")):
        if not is_text(report.content[key]):
            report.fault("form", f"{zh}应为文本。", f"'{key}' should be a text.")
    no, office = show(report.content["no"]), show(report.content["office"])
    task, attempt = show(report.content["task"]), show(report.content["attempt"])
    report.line(
        "form",
        f"抽取 {no}，第 {attempt} 次，任务 {task}，{office}",
        f"draw {no}, attempt {attempt}, task {task}, {office}",
    )


def _check_joint(report: Report) -> None:
    """A participant of a joint inspection: the subjects were drawn by another bureau."""
    content, joint = report.content, report.content["joint"]
    good = shaped(report, "form", joint, JOINT)
    for key in NOT_JOINT:
        if content[key] is not None:
            report.fault(part_of(key) or "form", "不在这里抽取，应为空。", f"'{key}' should be null: not drawn here.")
    for key in ("sources", "contributions", "quotas", "winners", "reserve"):
        if content[key]:
            report.fault(key, "不在这里抽取，应为空。", "should be empty: not drawn here.")
    if content["excused"]:
        all_shaped(report, "excused", content["excused"], EXCUSED)
    if content["void"] is not None:
        shaped(report, "void", content["void"], VOID)
    if good:
        report.effective = joint["codes"]
        lead = show(joint["lead"])
        report.line("joint", f"由 {lead} 抽取，不在本文件核对", f"drawn by {lead}, not here")


def _check_record(report: Report) -> None:
    content = {key: value for key, value in report.content.items() if key != "record"}
    try:
        wanted = digest(canonical(content))
    except Unclean:
        report.fault("record", "无法计算全文摘要。", "the digest of the whole can't be computed.")
        return
    if report.content.get("record") == wanted:
        report.line("record", f"全文摘要：{wanted}；文件 SHA-256 {report.file_digest}", f"record: {wanted}")
        return
    alone = not report.faults
    report.fault("record", "全文摘要不符，文件被改过。", "the digest of the whole is another: the file was changed.")
    if not alone:
        return
    # All that can be computed agrees, so what was changed is what only the record binds.
    for part, given in (("contributions", report.content), ("officers.contributions", report.content.get("officers"))):
        if given and given["contributions"]:
            report.fault(
                part,
                "时间、人员和凭证只由全文摘要约束，可能被改过。",
                "times, persons and evidence are held by the record alone; they may have been changed.",
            )


# --- Several files: the chain ----------------------------------------------------------------------------------------

#: What all versions of one draw have in common.
COMMITTED = "attempt prev frame frame_digest rules rules_digest sources commit committed_at secret".split()


class Link(NamedTuple):
    """One draw of one algorithm: all versions of it that were given."""

    report: Report
    alg: str
    no: Any
    versions: list[dict[str, Any]]

    @property
    def first(self) -> dict[str, Any]:
        return self.versions[0]

    @property
    def is_void(self) -> bool:
        return any(version["void"] is not None for version in self.versions)


def check_chain(reports: Sequence[Report]) -> list[Said]:
    """What is wrong with the files taken together; it is also told in the report of the file it is about."""
    readable = [one for one in reports if not one.unreadable and all(key in one.content for key in KEYS)]
    before = [len(one.faults) for one in reports]
    draws = {canonical([one.content["no"], one.content["attempt"]]) for one in readable if _is_clean(one.content)}
    for alg in ("sdraw1", "omatch1"):
        links = _links(readable, alg)
        if len(draws) > 1:
            _check_links(list(links.values()), alg)
        elif links and alg == "sdraw1":
            one = next(iter(links.values())).report
            one.line("chain", "未核对承诺链：请同时给出其他文件", "chain not checked: give the other files too")
        _check_attempts(list(links.values()), alone=len(draws) < 2)
    return [fault for one, n in zip(reports, before) for fault in one.faults[n:]]


def _is_clean(content: dict[str, Any]) -> bool:
    return all(isinstance(content[key], (str, int)) for key in ("no", "attempt"))


def _links(reports: Sequence[Report], alg: str) -> dict[str, Link]:
    links: dict[str, Link] = {}
    for report in reports:
        part = report.content if alg == "sdraw1" else report.content["officers"]
        if not isinstance(part, dict) or not all(key in part for key in LOT_KEYS) or not is_digest(part["commit"]):
            continue
        known = links.setdefault(part["commit"], Link(report, alg, report.content["no"], []))
        if known.versions:
            _check_versions(report, known, part)
        known.versions.append(part)
    return links


def _check_versions(report: Report, known: Link, part: dict[str, Any]) -> None:
    """Versions of one draw say the same wherever both say something."""
    other = known.first
    differ = [key for key in COMMITTED if other[key] != part[key]]
    differ += ["no"] if known.no != report.content["no"] else []
    for key in ("office", "task"):
        differ += [key] if known.report.content[key] != report.content[key] else []
    differ += ["seed"] if None not in (other["seed"], part["seed"]) and other["seed"] != part["seed"] else []
    both = [one["contributions"] for one in (other, part)]
    if all(isinstance(one, list) for one in both) and any(a != b for a, b in zip(*both)):
        differ.append("contributions")
    if differ:
        what = ", ".join(differ)
        report.fault("chain", f"同一次抽取的两个版本不同：{what}。", f"two versions of one draw differ in {what}.")


def _check_links(links: list[Link], alg: str) -> None:
    commits = {link.first["commit"] for link in links}
    roots = [link for link in links if link.first["prev"] == ZEROS]
    after: dict[Any, int] = {}
    for link in links:
        prev = link.first["prev"]
        if prev != ZEROS and prev not in commits:
            what = short(prev) if is_digest(prev) else show(prev)
            link.report.fault(
                "chain", f"{alg}：缺少前一次抽取 {what}。", f"{alg}: the draw before, {what}, is missing."
            )
        after[str(prev)] = after.get(str(prev), 0) + 1
        if after[str(prev)] > 1:
            link.report.fault("chain", f"{alg}：两次抽取接在同一次之后。", f"{alg}: two draws follow the same one.")
    if links and not roots:
        links[0].report.fault("chain", f"{alg}：没有第一次抽取。", f"{alg}: there is no first draw.")
    if not links or any(fault.part == "chain" for link in links for fault in link.report.faults):
        return
    report = links[0].report
    report.line("chain", f"{alg} 承诺链：{len(links)} 次抽取，无缺口", f"{alg} chain: {len(links)} draws without a gap")


def _check_attempts(links: list[Link], alone: bool) -> None:
    by_no: dict[str, dict[Any, Link]] = {}
    for link in links:
        known = by_no.setdefault(str(link.no), {})
        attempt = link.first["attempt"]
        if attempt in known:
            link.report.fault("chain", f"第 {show(attempt)} 次抽取有两个。", f"attempt {show(attempt)} occurs twice.")
        known[attempt] = link
    for attempts in by_no.values():
        for attempt, link in attempts.items():
            if not is_count(attempt):
                continue
            lost = next((k for k in range(1, min(attempt, 1 + len(attempts))) if k not in attempts), None)
            if lost and not alone:
                link.report.fault("chain", f"缺少第 {lost} 次抽取。", f"attempt {lost} is missing.")
            if any(k < attempt and not before.is_void for k, before in attempts.items() if is_count(k)):
                link.report.fault("chain", "重抽之前没有作废。", "drawn again without voiding what was before.")


# --- "Enter your code", the slip, and the screen ---------------------------------------------------------------------


def about_code(report: Report, asked: str) -> tuple[str, str]:
    """What a draw said of one subject, with the line for those who check by hand."""
    code = "".join(unicodedata.normalize("NFKC", asked).upper().split())
    rows = report.subjects.rows if report.subjects else None
    row = next((row for row in rows or () if row[0] == code), None)
    if row is None:
        return f"{show(code)} 不在名单上", f"{show(code)} is not on the list"
    if row[2] == "X":
        return f"{code} 不参加抽取：{row[3]} {LEFT_OUT[row[3]]}", f"{code} does not take part: {row[3]}"
    ones = report.tickets.get(row[1])
    if not ones:
        return f"{code} 参加抽取（{row[1]}），没有结果", f"{code} takes part ({row[1]}); there is no result"
    rank, ticket = next((at, one[0]) for at, one in enumerate(ones, 1) if one[1] == code)
    cut = report.quotas[row[1]]
    hand = f"printf %s '{report.content['seed']}|S|{code}' | sha256sum"
    end_zh, end_en = ("抽中", "drawn") if rank <= cut else ("没有抽中", "not drawn")
    zh = f"{code}（{row[1]}）：签 {ticket}，第 {rank}/{len(ones)}，取前 {cut}：{end_zh}"
    en = f"{code} ({row[1]}): ticket {ticket}, rank {rank} of {len(ones)}, the first {cut} are drawn: {end_en}"
    return f"{zh}\n    {hand}", f"{en}\n    {hand}"


def digests_of(report: Report) -> dict[str, str]:
    """The digests that a slip may carry."""
    officers = report.content.get("officers")
    found = {"commit": report.content.get("commit"), "record": report.content.get("record"), "file": report.file_digest}
    if isinstance(officers, dict):
        found["officers.commit"] = officers.get("commit")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def check_expected(reports: Sequence[Report], expected: str) -> None:
    """Compares a short code or digest, written down earlier, with what the files say."""
    wanted = re.sub(r"[\s-]", "", expected).lower()
    for report in reports:
        for name, value in digests_of(report).items():
            if value == wanted or (len(wanted) == 16 and value[:16] == wanted):
                report.line("commit", f"与抄下的 {show(expected)} 相符（{name}）", f"{show(expected)} agrees ({name})")
                return
    for report in reports:
        report.fault(
            "commit", f"与抄下的 {show(expected)} 不符。", f"{show(expected)}, written down, is not found here."
        )


def is_expectation(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}([0-9a-f]{48})?", re.sub(r"[\s-]", "", text).lower()) is not None


def told(report: Report, lang: str, codes: Sequence[str] = ()) -> Iterable[str]:
    """A report as lines of text."""
    zh = lang == "zh"
    yield f"== {show(report.name, 200)}"
    for line in report.lines:
        bad = line.part in report.parts
        mark = ("✗ 红" if bad else "✓ 绿") if zh else ("✗ red  " if bad else "✓ green")
        yield f"  {'· —' if line.part == 'joint' else mark}  {line.zh if zh else line.en}"
    for code in codes if not report.unreadable else ():
        yield f"  ·  {about_code(report, code)[0 if zh else 1]}"
    for fault in report.faults:
        yield f"  {fault.part}: {fault.zh if zh else fault.en}"
    ends = {
        GOOD: ("全部相符。", "All green."),
        RED: ("不相符，见上。", "Red: see above."),
        UNREADABLE: ("读不出来。", "Can't be read."),
    }
    yield "  " + ends[report.exit_code][0 if zh else 1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command, for this file alone and for the server's console."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="published draws; several are checked as one chain")
    parser.add_argument("--code", action="append", default=[], help="what the lot said of this subject")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="DIGEST", help="short code or digest of a slip"
    )
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of the answer (zh)")


def run(given: argparse.Namespace, write: Callable[[str], object] = print) -> int:
    """Checks the files that were asked for, and says what was found."""
    wrong = [text for text in given.expect if not is_expectation(text)]
    if wrong:
        zh = f"--expect：{show(wrong[0])} 不是 16 位短码或 64 位摘要。"
        write(zh if given.lang == "zh" else f"--expect: {show(wrong[0])} is neither a short code nor a digest.")
        return UNREADABLE
    reports = [_check_file(path) for path in given.files]
    check_chain(reports)
    for expected in given.expect:
        check_expected(reports, expected)
    for report in reports:
        for line in told(report, given.lang, given.code):
            write(line)
    return max(report.exit_code for report in reports)


def _check_file(path: str) -> Report:
    try:
        with open(path, "rb") as file:
            body = file.read()
    except (OSError, ValueError) as fault:
        report = Report(path)
        report.unreadable = True
        why = getattr(fault, "strerror", None) or str(fault)
        report.fault("form", f"打不开：{show(why)}", f"can't be opened: {show(why)}")
        return report
    return check(body, path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_arguments(parser)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
