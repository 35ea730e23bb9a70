"""Sheets of subjects with valid rows and planted errors: which row has which is known before anything reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import xlsxwriter

from server.demo.district import credit_code

COLUMNS = (
    "统一社会信用代码",
    "注册号",
    "名称",
    "法定代表人",
    "注册地址",
    "联系人",
    "联系电话",
    "主体类型",
    "行业代码",
    "行政区划代码",
    "风险等级",
    "信用等级",
    "状态",
    "纬度",
    "经度",
    "关注标记",
    "监管领域",
)

BRANDS = "宛卧白河汉冶光武独山靳岗紫竹梅溪兴隆和顺昌盛瑞丰泰"


class Planted(NamedTuple):
    """One error: the row as people count it, the header of its column, the code of the fault."""

    row: int
    column: str
    code: str


def good_row(rng: Random, number: int, taken: set[str]) -> list[str]:
    """A valid row, every column filled; its code is in none of the rows before."""
    while (code := credit_code(rng, "91")) in taken:
        pass
    taken.add(code)
    brand = "".join(rng.choice(BRANDS) for _ in range(3))
    kind = number % 40 == 0
    return [
        code,
        f"{411303000000000 + number * 10:015d}"[:14] + str(_check(f"{411303000000000 + number * 10:015d}"[:14])),
        f"南阳{brand}{number}化工有限公司",
        f"{brand[0]}某{number % 97}".replace("0", "零"),
        f"河南省南阳市卧龙区{brand}路{number}号",
        f"{brand[1]}某",
        f"1400{number:07d}",
        "企业" if number % 3 else "个体工商户",
        "C2614",
        "411303",
        "高中低"[number % 3],
        "ABCD"[number % 4],
        "在营",
        f"32.{900000 + number % 90000}",
        f"112.{400000 + number % 90000}",
        f"重点关注|名录〔2026〕{number}号|2026-01-0{1 + number % 9}|"
        if kind
        else "投诉举报|件登记〔2026〕1号|2026-02-01|2026-12-31",
        "危险化学品、特种作业",
    ]


def _check(digits: str) -> str:
    from stdnum.iso7064 import mod_11_10

    return str(mod_11_10.calc_check_digit(digits))


ERRORS = (
    ("统一社会信用代码", "uscc_check"),
    ("统一社会信用代码", "duplicate_in_file"),
    ("统一社会信用代码", "number_not_text"),
    ("名称", "too_long"),
    ("名称", "control_character"),
    ("注册地址", "bidi_character"),
    ("风险等级", "unknown_word"),
    ("联系电话", "phone_form"),
    ("法定代表人", "missing"),
    ("行政区划代码", "region_form"),
)


def spoiled(row: Sequence[str], column: str, code: str, first: Sequence[str]) -> list[str]:
    """The row with one error in it."""
    at, bad = COLUMNS.index(column), list(row)
    last = bad[0][-1]
    bad[at] = {
        "uscc_check": bad[0][:17] + ("1" if last != "1" else "2"),
        "duplicate_in_file": first[0],
        "number_not_text": "9.14113E+17",
        "too_long": "长" * 121,
        "control_character": bad[2][:4] + "\x07" + bad[2][4:],
        "bidi_character": "\u202e" + bad[4],
        "unknown_word": "极高",
        "phone_form": "12345",
        "missing": "",
        "region_form": "4113",
    }[code]
    return bad


def rows(count: int, seed: int, share: float = 0.01) -> Iterator[tuple[list[str], Planted | None]]:
    """`count` rows, a share of them with one error each, the ten kinds in turn, spread at random by the seed."""
    rng = Random(seed)
    places = sorted(rng.sample(range(2, count + 1), round(count * share)))
    kinds = {place: ERRORS[turn % len(ERRORS)] for turn, place in enumerate(rng.sample(places, len(places)))}
    first: list[str] = []
    taken: set[str] = set()
    for number in range(1, count + 1):
        row = good_row(rng, number, taken)
        first = first or row
        error = kinds.get(number)
        if error is None:
            yield row, None
        else:
            yield spoiled(row, *error, first), Planted(number + 1, *error)


def write_csv(path: Path, count: int, seed: int, share: float = 0.01) -> list[Planted]:
    """A CSV of such rows; the planted errors in the order of the file."""
    planted = []
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row, error in rows(count, seed, share):
            writer.writerow(row)
            planted += [error] if error else []
    return planted


def write_xlsx(path: Path, count: int, seed: int, share: float = 0.01) -> list[Planted]:
    """The same as a workbook."""
    planted = []
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("市场主体")
    for at, name in enumerate(COLUMNS):
        sheet.write_string(0, at, name)
    for number, (row, error) in enumerate(rows(count, seed, share), 1):
        for at, cell in enumerate(row):
            sheet.write_string(number, at, cell)
        planted += [error] if error else []
    book.close()
    return planted
