"""Generated files pass three verifiers; changed bytes are named; forgeries fall to the chain or to the slip."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from server.domain import draw_check
from server.standalone import verify_draw
from tests.running import ROOT
from tests.verifiers import making

NODE = Path(__file__).parents[1] / "web" / "verify_draw.mjs"
FILES, CHANGES, FORGERIES = 2_000, 10_000, 200
NAMED = ("frame", "rules", "contributions", "secret", "quotas", "winners", "teams")


def kind_of(file: making.File) -> str:
    """What is in a file, in a few words."""
    end = ("void after the draw" if file["seed"] else "void before the draw") if file["void"] else "drawn"
    mode = "joint" if "joint" in file else json.loads(file["rules"])["mode"]
    again = ["again"] if file["attempt"] > 1 else []
    excused = ["excused"] if file["excused"] else []
    return " ".join([mode, end, *again, *excused, *(crews_of(file["officers"]) if file["officers"] else [])])


def crews_of(part: making.File) -> list[str]:
    """What is in the officers' part, in a few words."""
    found = [key for key in ("teams", "direct", "merged", "replaced") if part[key]]
    found += [f"experts-{one['how']}" for one in part.get("experts", [])]
    found += ["lent"] if any("lent" in one for one in part["replaced"]) else []
    found += [f"slots-{part['slots']}"] if part["slots"] > 1 else []
    found += ["crews-again"] if part["attempt"] > 1 else []
    return found + (["crews-void-matched" if part["seed"] else "crews-void-unmatched"] if part["void"] else [])


KINDS = (
    "ratio", "total", "joint", "before", "after", "again", "excused", "teams", "direct", "merged", "replaced", "lent",
    "experts-lot", "experts-appointed", "slots-2", "slots-3", "crews-again", "crews-void-matched",
    "crews-void-unmatched",
)  # fmt: skip


def test_two_thousand_files_of_a_maker_apart_are_green_for_all_three_verifiers(tmp_path: Path) -> None:
    chains = making.chains(FILES)
    folders = []
    for n, chain in enumerate(chains):
        bodies = [making.body_of(file) for file in chain]
        reports = [verify_draw.check(body) for body in bodies]
        assert verify_draw.check_chain(reports) == []
        assert [report.faults for report in reports] == [[] for _ in chain]
        assert draw_check.check(*bodies) == []
        folders.append(tmp_path / f"{n:04d}")
        folders[-1].mkdir()
        for at, body in enumerate(bodies):
            (folders[-1] / f"{at:02d}.json").write_bytes(body)
    page = subprocess.run(["node", NODE, "--each", *folders], capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in page.stdout.splitlines()]
    assert [one for one in told if not one["green"]] == []
    assert page.returncode == 0, page.stderr
    kinds = Counter(kind_of(file) for chain in chains for file in chain)
    total = sum(kinds.values())
    words = {word: sum(n for kind, n in kinds.items() if word in kind.split()) for word in KINDS}
    print(f"\n{total} files of {len(kinds)} kinds in {len(chains)} chains:", words)
    assert len(told) == total >= FILES
    assert min(words.values()) >= 20


def test_the_command_of_the_guide_gives_the_tickets_in_the_order_of_the_draw() -> None:
    """As it is printed for a shop owner: only the seed and his code are put into it."""
    guide = (ROOT / "docs/guide/draw.zh.md").read_text()
    [printed] = re.findall(r"```sh\s+(printf .+)\n", guide)
    bureau = making.Bureau("guide")
    bureau.publish("2026-1", "ratio")
    file = next(one for one in bureau.files if one["seed"])
    strata = [file["winners"][name] + file["reserve"][name] for name in file["quotas"]]
    for codes in strata:
        lines = [printed.replace("种子", file["seed"]).replace("您的信用代码", code) for code in codes]
        done = [subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True) for line in lines]
        tickets = [one.stdout.split()[0] for one in done]
        assert tickets == sorted(tickets)
        assert tickets == [making.sha(f"{file['seed']}|S|{code}") for code in codes]
    assert sum(map(len, strata)) > 5


def test_the_command_for_auditors_runs_as_it_is_printed(tmp_path: Path) -> None:
    guide = (ROOT / "docs/guide/draw-audit.zh.md").read_text()
    [printed] = re.findall(r"```sh\s+(python3 .+)\n", guide)
    chain = making.chains(1, "audit")[0]
    shutil.copy(ROOT / "server/standalone/verify_draw.py", tmp_path)
    for n, file in enumerate(chain):
        (tmp_path / f"draw-{n:02}.json").write_bytes(making.body_of(file))
    done = subprocess.run(["sh", "-c", printed], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, len(chain) > 1) == (0, True), done.stdout[-500:]
    (tmp_path / "draw-00.json").write_bytes(making.body_of(chain[0]).replace(b"E", b"X", 1))
    assert subprocess.run(["sh", "-c", printed], cwd=tmp_path, capture_output=True, check=False).returncode == 1


def spans(value: dict[str, Any], start: int, under: str = "") -> list[tuple[int, int, str]]:
    """Where each member lies in the bytes, with the part it belongs to; members of the officers have their own."""
    found, at = [], start + 1
    for key in sorted(value):
        end = at + len(f'"{key}":{making.canonical(value[key])}'.encode())
        found.append((at, end, key if key == "teams" else under + key))
        if key == "officers" and value[key]:
            found += spans(value[key], at + len('"officers":'), "officers.")
        at = end + 1
    return found


def changed(chance: random.Random, body: bytes) -> tuple[str, int, bytes]:
    """One change of one byte: its kind, its place and what comes of it."""
    kind, at = chance.choice(["flip", "delete", "insert", "put"]), chance.randrange(len(body))
    if kind == "flip":
        return kind, at, body[:at] + bytes([body[at] ^ 1 << chance.randrange(8)]) + body[at + 1 :]
    if kind == "delete":
        return kind, at, body[:at] + body[at + 1 :]
    if kind == "insert":
        return kind, at, body[:at] + bytes([chance.randrange(256)]) + body[at:]
    return kind, at, body[:at] + bytes([chance.choice([b for b in range(256) if b != body[at]])]) + body[at + 1 :]


def hit(places: list[tuple[int, int, str]], kind: str, at: int) -> set[str]:
    """The parts whose span a change lies in; what is inserted before a span's first byte lies outside."""
    inside = {part for start, end, part in places if start + (kind == "insert") <= at < end}
    return {part for part in inside if part.removeprefix("officers.") in NAMED}


def test_ten_thousand_changed_bytes_are_refused_and_the_part_that_was_hit_is_named() -> None:
    chance = random.Random("changes")
    files = [file for chain in making.chains(200, "changes") for file in chain]
    whole = [(making.body_of(file), file) for file in files]
    placed = [(body, spans(json.loads(body), 0)) for body, _file in whole]
    kinds: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    misnamed = []
    for _ in range(CHANGES):
        body, places = chance.choice(placed)
        kind, at, other = changed(chance, body)
        report = verify_draw.check(other)
        wanted = hit(places, kind, at)
        kinds[kind] += 1
        parts.update(wanted)
        if report.exit_code == verify_draw.GOOD or not report.faults or not wanted <= report.parts:
            misnamed.append((kind, wanted, report.parts, body[at - 20 : at + 20], other[at - 20 : at + 20]))
    print(f"{sum(kinds.values())} changes of {len(files)} files: {dict(kinds)}; parts hit: {dict(parts)}")
    assert len(misnamed) == 0, (len(misnamed), misnamed[:8])
    assert sum(kinds.values()) >= CHANGES
    assert {part.removeprefix("officers.") for part in parts} == set(NAMED)


EXPERTS: dict[str, dict[str, Any]] = {
    "an officer of the list": {"o": ["1614000000"]}, "another visit": {"s": "91411303MA00000000"},
    "nobody": {"o": []}, "no reason": {"how": "appointed", "reason": ""}, "not by this lot": {"elig": ["expert-9"]},
}  # fmt: skip


def test_an_expert_who_is_an_officer_or_without_ground_is_refused_by_all_three(tmp_path: Path) -> None:
    files = (file for chain in making.chains(400, "experts") for file in chain)
    by_lot = [file for file in files if "experts-lot" in crews_of(file["officers"] or NOBODY)]
    for what, false in EXPERTS.items():
        file = by_lot[0]
        number = file["officers"]["frame"].partition("\t")[0]
        bad = {**file["officers"]["experts"][0], **false} | ({"o": [number]} if "officer" in what else {})
        body = making.body_of({**file, "officers": {**file["officers"], "experts": [bad]}})
        assert verify_draw.check(body).parts == {"experts"}, what
        assert {one.part for one in draw_check.check(body)} == {"experts"}, what
        (tmp_path / f"{what}.json").write_bytes(body)
    paths = sorted(tmp_path.iterdir())
    page = subprocess.run(["node", NODE, *paths], capture_output=True, text=True, check=False)
    told = [json.loads(line)["faults"] for line in page.stdout.splitlines()]
    assert [any("experts" in fault for fault in faults) for faults in told] == [True] * len(EXPERTS)


NOBODY: making.File = {"teams": [], "direct": [], "merged": [], "replaced": [], "slots": 1, "attempt": 1, "void": None}


def forged(chance: random.Random, file: making.File, what: str) -> making.File:
    """A file with other winners that is consistent in itself."""
    other: making.File = json.loads(json.dumps(file)) | {"winners": {}, "reserve": {}, "excused": []}
    rules = json.loads(other["rules"])
    if what == "winners":
        other["secret"] = f"{chance.getrandbits(256):064x}"
    elif what == "frame":
        rows = other["frame"].splitlines(keepends=True)
        shares = rules.get("ratio_bp") or rules["weights"]
        stratum = chance.choice(sorted(shares))
        friend = chance.choice([row for row in rows if "\tE\t" in row])
        stranger = f"{making.uscc(chance)}\t{stratum}\tE\t-\n"
        other["frame"] = "".join(sorted({*rows, stranger} - {friend} | {friend.split("\t")[0] + "\t-\tX\tSUSPENDED\n"}))
    elif what == "rules":
        rules["year"] += 1
        other["rules"] = making.canonical(rules)
    else:
        number = chance.choice(other["contributions"])
        number["v"] = making.Bureau("v" + str(chance.random())).value(
            next(one for one in other["sources"] if one["id"] == number["k"])
        )
    other |= {"frame_digest": making.sha(other["frame"]), "rules_digest": making.sha(other["rules"])}
    other["commit"] = making.commit_of(other, "sdraw1")
    making.draw(other, rules)
    return other


def test_two_hundred_consistent_forgeries_fall_to_the_chain_or_to_what_was_published_before(
    tmp_path: Path,
) -> None:
    chance, counts = random.Random("forgeries"), Counter[str]()
    turn = 0
    while sum(counts.values()) < FORGERIES:
        bureau = making.Bureau(f"forged|{turn}", crews=0)
        for no in range(4):
            bureau.publish(f"2026-{no + 1}", ("ratio", "total")[no % 2])
        chain, what = bureau.files, ("winners", "frame", "rules", "contributions")[turn % 4]
        turn += 1
        place = chance.choice([at for at, file in enumerate(chain) if file["seed"]])
        true, false = making.body_of(chain[place]), making.body_of(forged(chance, chain[place], what))
        assert verify_draw.check(false).faults == [], (what, "is no consistent forgery")
        bodies = [making.body_of(file) for file in chain]
        bodies[place] = false
        counts[f"{what}: {caught_by(bodies, true, false, what, place)}"] += 1
        (tmp_path / f"{turn:04d}").mkdir()
        (tmp_path / f"{turn:04d}" / "true.json").write_bytes(true)
        (tmp_path / f"{turn:04d}" / "false.json").write_bytes(false)
    page = subprocess.run(["node", NODE, "--each", *tmp_path.iterdir()], capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in page.stdout.splitlines()]
    assert {Path(one["file"]).parent for one in told if not one["green"]} == set(tmp_path.iterdir())
    print(f"{sum(counts.values())} forgeries: {dict(counts)}")
    assert sum(counts.values()) >= FORGERIES


def caught_by(bodies: list[bytes], true: bytes, false: bytes, what: str, place: int) -> str:
    """What a forgery falls to: always to the slip, and to the chain wherever a later draw follows."""
    slip = verify_draw.check(true).content["commit" if what != "contributions" else "record"]
    for written in (slip, verify_draw.short(slip), verify_draw.check(true).file_digest):
        alone = [verify_draw.check(false)]
        verify_draw.check_expected(alone, written)
        assert alone[0].parts == {"commit"}
    witness = [verify_draw.check(one) for one in (true, false)]
    assert {fault.part for fault in verify_draw.check_chain(witness)} == {"chain"}
    assert draw_check.check(true, false) != []
    reports = [verify_draw.check(body) for body in bodies]
    by_chain = verify_draw.check_chain(reports)
    assert bool(by_chain) == (what != "contributions" and place < len(bodies) - 1)
    assert bool(draw_check.check(*bodies)) == bool(by_chain)
    return "the chain" if by_chain else "the slip"


def test_the_small_example_of_the_page_comes_out_by_hand() -> None:
    rows = "3X7K2Q0X A E -|40N8RW54 B E -|45H1JY3U B E -|46PLC85K B E -|47T2DU2B - X DRAWN_TWICE|9GXP5T5B A E -"
    rules = {"alg": "sdraw1", "mode": "ratio", "ratio_bp": {"A": 5000, "B": 3400}}
    file: making.File = {
        "prev": making.ROOT, "rules": making.canonical(rules), "winners": {}, "reserve": {},
        "frame": "".join("91411303MA" + row.replace(" ", "\t") + "\n" for row in rows.split("|")),
        "secret": "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea",
        "contributions": [
            {"k": "kl8/2026312", "v": "01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80"},
            {"k": "witness/1", "v": "4711"},
        ],
    }  # fmt: skip
    file["commit"] = making.commit_of(file, "sdraw1")
    making.draw(file, rules)
    assert making.sha(file["frame"]) == "67005ee8bca8ffafb355028965d8b0d490fcc29589ebabf88582597bf6a06cbd"
    assert making.sha(file["rules"]) == "dc33100370b92107601200a5e29c0ba19905b8afac4cd2eea48e64ce5628b890"
    assert file["commit"] == "c514bd6a0304de0da237288384a42a646ab15ef770664dadbf22aead52ce241a"
    assert file["seed"] == "c7f94008f779864463964f01192c0f032f6df1b86a001d39d2998cfc9a401350"
    assert file["quotas"] == {"A": 1, "B": 2}
    assert file["winners"] == {"A": ["91411303MA3X7K2Q0X"], "B": ["91411303MA46PLC85K", "91411303MA40N8RW54"]}
    strata = [(line.split("\t")[0], line.split("\t")[1]) for line in file["frame"].splitlines() if "\tE\t" in line]
    tickets = verify_draw.tickets_of(strata, file["seed"])
    quotas, _said = verify_draw.quotas_of({"A": 2, "B": 3}, rules, file["seed"])
    assert {name: [code for _t, code in ones[: quotas[name]]] for name, ones in tickets.items()} == file["winners"]
