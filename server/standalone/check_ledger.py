"""Checks a bureau's ledger: that nobody who was drawn has vanished, and that each has a result or a logged exception.

    python check_ledger.py https://suijian.example.cn --keep kept
    python check_ledger.py --files kept/taken-0007.json.gz kept/taken-0003.json.gz

The first takes the public files, keeps them, and compares them with those of last time; the second compares two that
were kept.

One file that needs Python 3.11 alone, and nothing of the server. It reads what everybody can read: the ledger, notices,
draws, results and the log. Of what it took once: every number is there, as many lines as were drawn and announced, each
digest is that of its salt and code, each published line has its result and each result its line, what was entered is
what the log says was entered, each exception has its act in the log, and the log's tree is the one that was signed. Of
what it took before and now: no line, notice, draw, result or entry of the log is gone or altered, and nothing went back
without an act that is in the log. Who signed the checkpoint is for `witness.py` to check.

It ends with 0 (all is there), 1 (a line for each fault, by the number and digest of the ledger's line) or 2 (cannot).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

GOOD, FOUND, CANNOT = 0, 1, 2
SECONDS = 60
MOST_BYTES = 2**28
WAY = ("drawn", "dispatched", "synced", "final", "reviewed", "published")
KEPT_BACK = "withheld"
EXCEPTIONS = ("draw_void", "excused", "cancelled", "left_out", "withdrawn", "visit_void")
UNANNOUNCED = ("draw_void", "excused", "left_out")
ACTS = {
    "withdrawn": "task.withdraw",
    "cancelled": "task.cancel",
    "visit_void": "op.void",
    "withheld": "withholding.decide",
}
LINE = ("place", "n", "source", "drawn_at", "digest", "entry", "state", "round", "opened", "result")
FIXED = ("place", "n", "task", "source", "drawn_at", "entry")
STILL = 3

Json = dict[str, Any]


class Cannot(Exception):
    """There is nothing to judge; the text says why."""


# --- taking -----------------------------------------------------------------------------------------------------------


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is asked is one address; whoever leads elsewhere is not believed."""

    def redirect_request(self, *_given: object) -> None:
        """Follows nothing."""


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler())


def ask(url: str, path: str) -> bytes:
    """The answer to one question."""
    request = urllib.request.Request(url.rstrip("/") + path, headers={"Accept": "application/json, text/plain"})
    try:
        with OPENER.open(request, timeout=SECONDS) as answer:
            found: bytes = answer.read(MOST_BYTES)
            return found
    except urllib.error.HTTPError as refused:
        raise Cannot(f"{url}{path} answered {refused.code}.") from None
    except (OSError, ValueError) as fault:
        raise Cannot(f"{url}{path} cannot be asked: {fault}") from None


def read(url: str, path: str) -> Any:
    """The answer as JSON."""
    return json.loads(ask(url, path))


def take(url: str) -> Json:
    """The public files of one moment; `moved` where the bureau went on working while they were taken."""
    for _ in range(STILL):
        taken = take_once(url)
        if not taken["moved"]:
            break
    return taken


def take_once(url: str) -> Json:
    """Each file once: the log last, so that it knows of whatever the others say."""
    pages = list(ledger_pages(url))
    results, chain = list(results_of(url)), read(url, "/draws/chain.json")
    nos = [one["no"] for page in pages for one in page["tasks"]]
    tasks = {no: task_of(url, no) for no in nos}
    announced = [one["url"].rpartition("/")[2] for one in read(url, "/notices/feed.json")["items"]]
    named = {no for no in nos if tasks[no]["task"]["has_notice"]} | {no for no in announced if no}
    notices = {no: read(url, f"/notices/{quote(no)}.json")["notice"] for no in sorted(named)}
    files = [one["files"] for one in chain["sdraw1"]]
    paths = {its["href"] for versions in files for its in (*versions[:1], *versions[-1:]) if its["href"]}
    end = read(url, "/ledger.json")
    first = {one["no"]: f"/results/{quote(one['no'])}/v1.json" for one in results if one["version"] > 1}
    return {
        "t": "ledger-taken/1",
        "url": url,
        "at": int(time.time()),
        "results": results,
        "first": {no: ask(url, path).decode() for no, path in first.items()},
        "chain": chain["sdraw1"],
        "files": {path: ask(url, path).decode() for path in sorted(paths)},
        "notices": notices,
        "tasks": tasks,
        "ledger": {name: end[name] for name in ("size", "written")},
        "moved": end["written"] != pages[0]["written"],
        "log": log_of(url),
    }


def ledger_pages(url: str) -> Iterator[Json]:
    """The pages of the list of tasks."""
    path: str | None = "/ledger.json"
    while path is not None:
        page = read(url, path)
        yield page
        path = page["next"] and f"/ledger.json?before={quote(page['next'])}"


def task_of(url: str, no: str) -> Json:
    """All lines of a task."""
    found: Json = read(url, f"/ledger/{quote(no)}.json")
    more = found["next"]
    while more is not None:
        page = read(url, f"/ledger/{quote(no)}.json?after={int(more)}")
        found["lines"] += page["lines"]
        more = page["next"]
    return found


def results_of(url: str) -> Iterator[Json]:
    """All results in their newest version."""
    path: str | None = "/results/results.json"
    while path is not None:
        page = read(url, path)
        yield from page["results"]
        path = page["next"] and f"/results/results.json?{urlsplit(page['next']).query}"


def log_of(url: str) -> Json:
    """The newest checkpoint, and every entry that it covers."""
    checkpoint = ask(url, "/log/checkpoint").decode()
    size, entries, start = int(checkpoint.split("\n")[1]), list[list[Any]](), 0
    while start < size:
        page = read(url, f"/log/entries?start={start}&end={size - 1}")["entries"]
        entries += [[one["index"], one["leaf"]] for one in page]
        start = page[-1]["index"] + 1 if page else size
    return {"checkpoint": checkpoint, "entries": entries}


# --- what is reported -------------------------------------------------------------------------------------------------


class Report:
    """The faults, each with the digests of the ledger's lines that it names, and what is no fault and worth saying."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.named: set[str] = set()

    def add(self, part: str, sentence: str, *digests: str) -> None:
        """Notes a fault, once."""
        self.named.update(digests)
        if (part, sentence) not in self.faults:
            self.faults.append((part, sentence))

    def print(self) -> int:
        """Says all of it."""
        for part, sentence in self.faults:
            print(f"{part}: {sentence}")
        for note in self.notes:
            print(f"note: {note}")
        if not self.faults:
            print("Nothing is missing.")
        return FOUND if self.faults else GOOD


def name_of(line: Json) -> str:
    """How a line is named: so that anybody finds it in what he kept."""
    opened = line["opened"]
    who = f", {opened['code']} {opened['name']}" if opened else ""
    return f"task {line['task']} line {line['n']} (place {line['place']}, digest {line['digest']}{who})"


def sha256(text: str) -> str:
    """The digest of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    """Canonical JSON (RFC 8785), for what has only texts, whole numbers and names of ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# --- the log ----------------------------------------------------------------------------------------------------------


class Log:
    """The entries that were taken, by index, and the tree that was signed over them."""

    def __init__(self, taken: Json) -> None:
        lines = taken["log"]["checkpoint"].split("\n")
        self.size, self.root = int(lines[1]), b64decode(lines[2]).hex()
        self.texts: dict[int, str] = dict(taken["log"]["entries"])
        self.entries: dict[int, Json] = {index: json.loads(text) for index, text in self.texts.items()}
        self.slack: int = max(0, taken["ledger"]["written"] - self.size)
        """How many acts have no checkpoint yet: so many may be missing here."""

        self._counts = Counter(one["act"] for one in self.entries.values())
        self._about = Counter((one["act"], one["object"]) for one in self.entries.values())

    def count(self, act: str, about: str | None = None) -> int:
        """How often something was done."""
        return self._counts[act] if about is None else self._about[act, about]

    def count_since(self, first: int) -> Counter[str]:
        """How often each thing was done from an entry on."""
        return Counter(one["act"] for index, one in self.entries.items() if index >= first)

    def acts(self, *names: str) -> Iterator[tuple[int, Json]]:
        """The entries of some acts."""
        yield from ((index, one) for index, one in self.entries.items() if one["act"] in names)

    def root_of(self, size: int) -> str:
        """The root over the first entries (RFC 9162, 2.1.1)."""
        peaks: list[tuple[int, bytes]] = []
        for index in range(size):
            height, hash_ = 0, hashlib.sha256(b"\x00" + self.texts[index].encode()).digest()
            while peaks and peaks[-1][0] == height:
                hash_ = hashlib.sha256(b"\x01" + peaks.pop()[1] + hash_).digest()
                height += 1
            peaks.append((height, hash_))
        if not peaks:
            return hashlib.sha256(b"").hexdigest()
        root = peaks.pop()[1]
        while peaks:
            root = hashlib.sha256(b"\x01" + peaks.pop()[1] + root).digest()
        return root.hex()

    def missing(self) -> list[int]:
        """Which entries aren't given, or are another's."""
        return [at for at in range(self.size) if at not in self.entries or self.entries[at]["n"] != at + 1]


def spans(numbers: Iterable[int]) -> str:
    """1-3, 7."""
    found: list[list[int]] = []
    for n in sorted(numbers):
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


# --- one moment -------------------------------------------------------------------------------------------------------


class Taken:
    """What was taken once, read."""

    def __init__(self, taken: Json) -> None:
        try:
            self.raw, self.log, self.moved = taken, Log(taken), bool(taken["moved"])
            self.tasks: dict[str, Json] = taken["tasks"]
            self.results: dict[str, Json] = {one["no"]: one for one in taken["results"]}
            self.notices: dict[str, Json] = taken["notices"]
            self.chain: list[Json] = taken["chain"]
            self.size: int = taken["ledger"]["size"]
            self.lines: list[Json] = [
                line | {"task": no} for no, its in self.tasks.items() for line in its["lines"] if is_line(line)
            ]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
            raise Cannot(f"What was taken has not the form of a ledger: {type(fault).__name__} {fault}") from None
        self.odd = sum(len(its["lines"]) for its in self.tasks.values()) - len(self.lines)
        self.by_digest = {line["digest"]: line for line in self.lines}
        self.of_task: dict[str, list[Json]] = {no: [] for no in self.tasks}
        for line in self.lines:
            self.of_task[line["task"]].append(line)


def is_line(line: Any) -> bool:
    """Whether it has the form of a line."""
    return (
        isinstance(line, dict)
        and all(name in line for name in LINE)
        and line["state"] in (*WAY, KEPT_BACK, *EXCEPTIONS)
    )


def check_one(it: Taken, report: Report) -> None:
    """All that can be seen in one moment."""
    if it.odd:
        report.add("form", f"{it.odd} lines have not the form of a line")
    check_numbers(it, report)
    for line in it.lines:
        check_opening(it, line, report)
    for no, its in it.tasks.items():
        check_counts(it, no, its, report)
    check_notices(it, report)
    check_draws(it, report)
    check_log(it, report)
    check_exceptions(it, report)
    check_results(it, report)


def check_numbers(it: Taken, report: Report) -> None:
    """Places are dense over all tasks, numbers within each; no digest stands twice."""
    places, missing = Counter(line["place"] for line in it.lines), set(range(1, it.size + 1))
    missing -= places.keys()
    if missing:
        report.add("numbers", f"no line stands at place {spans(missing)} of {it.size}")
    for line in it.lines:
        if places[line["place"]] > 1 or not 1 <= line["place"] <= it.size:
            report.add(
                "numbers", f"{name_of(line)}: its place is taken twice or beyond the ledger's end", line["digest"]
            )
        if it.by_digest[line["digest"]] is not line:
            report.add("numbers", f"{name_of(line)}: its digest stands twice", line["digest"])
    for no, its in it.tasks.items():
        if its["task"]["no"] != no:
            report.add("numbers", f"task {no} calls itself {its['task']['no']}")
        numbers = [line["n"] for line in it.of_task[no]]
        gone = set(range(1, max(numbers, default=0) + 1)) - set(numbers)
        if gone:
            report.add("numbers", f"task {no} has no line {spans(gone)}")
        if len(numbers) != its["task"]["lines"]:
            report.add("numbers", f"task {no} says that it has {its['task']['lines']} lines, and shows {len(numbers)}")


def check_opening(it: Taken, line: Json, report: Report) -> None:
    """A salt and a code hash to the digest; who is published, or of an open task, is opened."""
    opened = line["opened"]
    if opened and sha256(f"{opened['salt']}|{opened['code']}") != line["digest"]:
        report.add("opening", f"{name_of(line)}: its salt and code don't hash to its digest", line["digest"])
    if not opened and (line["state"] == "published" or it.tasks[line["task"]]["task"]["is_open"]):
        report.add("opening", f"{name_of(line)}: it should be open by now", line["digest"])


def check_counts(it: Taken, no: str, its: Json, report: Report) -> None:
    """As many lines as each source drew, and as many more as moved up for those excused."""
    lines = it.of_task[no]
    states = Counter(line["state"] for line in lines)
    if states != its["states"]:
        report.add("count", f"task {no} counts its lines as {its['states']}, and they are {dict(states)}")
    told = {name: its["task"][name] for name in ("published", "ended_otherwise")}
    if told != {"published": states["published"], "ended_otherwise": sum(states[one] for one in EXCEPTIONS)}:
        report.add("count", f"task {no} counts {told}, and its lines are {dict(states)}")
    by_source = Counter(line["source"] for line in lines)
    for source in its["sources"]:
        n, drawn, excused = by_source.pop(source["source"], 0), source["drawn"], source["excused"]
        if not drawn <= n <= drawn + excused:
            report.add(
                "count", f"task {no}: {source['source']} drew {drawn}, {excused} were excused, and {n} lines stand"
            )
        shown = sum(line["state"] == "excused" and line["source"] == source["source"] for line in lines)
        if source["state"] != "void" and shown != excused:
            report.add("count", f"task {no}: {source['source']} excused {excused}, and {shown} lines say so")
    for strange, n in by_source.items():
        report.add("count", f"task {no}: {n} lines are of {strange}, which drew nobody")


def check_notices(it: Taken, report: Report) -> None:
    """Each notice announces as many as stand in the ledger, and each task with a notice is in it."""
    for no, notice in it.notices.items():
        lines = it.of_task.get(no, [])
        standing = sum(line["state"] not in UNANNOUNCED for line in lines)
        if standing != notice["n"]:
            report.add("count", f"task {no}: the notice announces {notice['n']} subjects, and {standing} lines stand")
        if no not in it.tasks:
            report.add("count", f"task {no} was announced, and is not in the ledger")
        elif not it.tasks[no]["task"]["has_notice"] and not it.moved:
            report.add("count", f"task {no} was announced, and the ledger says that it wasn't")


def check_draws(it: Taken, report: Report) -> None:
    """Each draw that was carried out is in the ledger; an open file has the same subjects, and its secret the salts."""
    sources = {one["source"]: one for its in it.tasks.values() for one in its["sources"]}
    for link in it.chain:
        name, files = f"{link['no']}/{link['attempt']}", link["files"]
        source = sources.get(name)
        if source is None:
            if link["state"] in ("drawn", "locked", "dispatched"):
                report.add("draw", f"draw {name} was carried out, and has no lines in the ledger")
            continue
        if not files or files[0]["sha256"] != source["file"] or (link["state"] != source["state"] and not it.moved):
            report.add("draw", f"draw {name}: the ledger says otherwise than the draws' page")
        for one in (*files[:1], *files[-1:]):
            body = it.raw["files"].get(one["href"])
            if one["href"] and sha256(body or "") != one["sha256"]:
                report.add("draw", f"draw {name}: the file {one['version']} has another digest than was published")
        body = it.raw["files"].get(files[-1]["href"]) if files else None
        if body is not None:
            check_file(it, name, json.loads(body), report)


def check_file(it: Taken, name: str, file: Json, report: Report) -> None:
    """The lines of a draw whose file is open."""
    drawn = {code for codes in file["winners"].values() for code in codes}
    drawn |= {one["next"] for one in file["excused"] if one["next"]}
    lines = {line["opened"]["code"]: line for line in it.lines if line["source"] == name and line["opened"]}
    for code in sorted(drawn - lines.keys()):
        report.add("draw", f"draw {name} drew {code}, and no line of the ledger is open for it")
    for code, line in sorted(lines.items()):
        if code not in drawn:
            report.add("draw", f"{name_of(line)}: draw {name} didn't draw it", line["digest"])
        elif line["opened"]["salt"] != sha256(f"{file['secret']}|ledger|{name}|{code}"):
            report.add("draw", f"{name_of(line)}: its salt isn't the one of the draw's secret", line["digest"])


def check_log(it: Taken, report: Report) -> None:
    """No entry is missing, the tree is the one that was signed, and it has what was entered, dispatched, published."""
    log, missing = it.log, it.log.missing()
    if missing:
        report.add("log", f"the log doesn't give its entries {spans(missing)} of {log.size}")
    elif log.root_of(log.size) != log.root:
        report.add("log", f"the {log.size} entries of the log are not those that the checkpoint signs")
    batches: dict[int, list[Json]] = defaultdict(list)
    for line in sorted(it.lines, key=lambda one: (one["place"], one["n"])):
        batches[line["entry"]].append(line)
    for index, lines in batches.items():
        entry = log.entries.get(index)
        told = sha256(canonical([[line["place"], line["n"], line["digest"]] for line in lines]))
        about = f"ledger:{lines[0]['task']}:{lines[0]['place']}-{lines[-1]['place']}:{told}"
        if index >= log.size:
            report.notes.append(f"{len(lines)} lines of task {lines[0]['task']} are younger than the newest checkpoint")
        elif entry is None or entry["act"] != "ledger.enter":
            said = ", ".join(name_of(line) for line in lines[:3])
            report.add("log", f"entry {index} of the log doesn't enter {said}{' ...' if len(lines) > 3 else ''}")
        elif entry["object"] != about:
            report.add("log", f"entry {index} of the log entered {entry['object']} otherwise than the ledger shows it")
    standing = {(line["task"], line["place"]) for line in it.lines}
    for index, entry in log.acts("ledger.enter"):
        _, no, places, _ = entry["object"].split(":")
        first, _, last = places.partition("-")
        gone = [at for at in range(int(first), int(last) + 1) if (no, at) not in standing]
        if gone:
            report.add(
                "log", f"entry {index} of the log entered task {no} at place {spans(gone)}, where no line stands"
            )
    for no, its in it.tasks.items():
        index = its["dispatched"]
        if its["task"]["has_notice"] and (index is None or not _is(log, index, "task.dispatch")):
            report.add("log", f"task {no} was announced, and the log has no dispatch of it")


def _is(log: Log, index: int, *acts: str) -> bool:
    """Whether an entry is of one of these acts, or younger than the checkpoint."""
    return index >= log.size or log.entries.get(index, {"act": ""})["act"] in acts


def check_exceptions(it: Taken, report: Report) -> None:
    """No task has more exceptions of a kind than the log has acts of that kind; a void draw and an excuse are named."""
    log = it.log
    for no, its in it.tasks.items():
        lines = it.of_task[no]
        states = Counter(line["state"] for line in lines)
        found = {state: (states[state], log.count(act)) for state, act in ACTS.items()}
        found["reopened"] = sum(line["round"] - 1 for line in lines), log.count("op.reopen")
        found["cancelled"] = min(states["cancelled"], 1), log.count("task.cancel")
        for source in its["sources"]:
            is_void = source["state"] == "void"
            found[f"void ({source['source']})"] = int(is_void), log.count("draw.void", about=source["about"])
            excuses = log.count("draw.excuse", about=source["about"])
            found[f"excused ({source['source']})"] = source["excused"], excuses
        for state, (n, acts) in found.items():
            if n > acts + log.slack:
                report.add("exception", f"task {no}: {n} {state}, and the log has {acts} such acts")


def check_results(it: Taken, report: Report) -> None:
    """Each published line has its result and each result its line; each is what the log says was published."""
    shown: dict[str, Json] = {}
    for line in it.lines:
        if line["state"] == "published":
            shown[line["result"]["no"]] = line
            check_result(it, line, report)
    for no, result in it.results.items():
        if no not in shown:
            report.add("result", f"result {no} ({result['uscc']}, task {result['task_no']}) has no line in the ledger")
    known = {one["entry"] for line in shown.values() for one in line["result"]["log"]}
    for index, entry in it.log.acts("result.publish", "correction.sign"):
        if index not in known and not it.moved:
            report.add(
                "result", f"entry {index} of the log published {entry['object']}, which no line of the ledger has"
            )


def check_result(it: Taken, line: Json, report: Report) -> None:
    """A published line with its result."""
    said, result, digest = line["result"], it.results.get(line["result"]["no"]), line["digest"]
    if result is None:
        if not it.moved:
            report.add("result", f"{name_of(line)}: its result {said['no']} is not among the results", digest)
        return
    same = {"no": said["no"], "version": said["version"], "main": said["main"], "published_on": said["published_on"]}
    same |= {"task_no": line["task"], "uscc": (line["opened"] or {}).get("code")}
    odd = [name for name, value in same.items() if result[name] != value]
    if odd and not it.moved:
        report.add("result", f"{name_of(line)}: its result {said['no']} says otherwise: {', '.join(odd)}", digest)
    if len(said["log"]) != said["version"]:
        report.add(
            "result", f"{name_of(line)}: the log has {len(said['log'])} of its {said['version']} versions", digest
        )
    texts = {said["version"]: canonical(result), 1: it.raw["first"].get(said["no"], canonical(result))}
    for version, one in enumerate(said["log"], 1):
        if not _is(it.log, one["entry"], "result.publish", "correction.sign"):
            report.add("result", f"{name_of(line)}: entry {one['entry']} of the log publishes nothing", digest)
        elif one["entry"] < it.log.size and version in texts and not odd and not is_told(it.log, one, texts[version]):
            sentence = f"version {version} of its result {said['no']} isn't what entry {one['entry']} published"
            report.add("result", f"{name_of(line)}: {sentence}", digest)


def is_told(log: Log, one: Json, text: str) -> bool:
    """Whether an entry commits to a version; where it was erased, another entry has to say so."""
    if not one["key"]:
        return log.count("trail.erase", f"entry:{one['entry'] + 1}") > 0
    found = hashlib.sha256(bytes.fromhex(one["key"]) + sha256(text).encode()).hexdigest()
    return bool(log.entries[one["entry"]]["after"] == found)


# --- two moments ------------------------------------------------------------------------------------------------------


def check_both(before: Taken, after: Taken, report: Report) -> None:
    """What was there before is there now, and is what it was."""
    for line in before.lines:
        new = after.by_digest.get(line["digest"])
        if new is None:
            report.add(
                "vanished", f"{name_of(line)} was {line['state']}, and is no longer in the ledger", line["digest"]
            )
        else:
            check_line(line, new, report)
    check_reopened(before, after, report)
    for no, result in before.results.items():
        now = after.results.get(no)
        if now is None:
            report.add("vanished", f"result {no} ({result['uscc']} {result['subject']}) is gone")
        elif now["version"] < result["version"] or (now["version"] == result["version"] and now != result):
            report.add("changed", f"result {no} was changed without a new version")
    for no, notice in before.notices.items():
        if no not in after.notices:
            report.add("vanished", f"the notice of task {no} is gone")
        elif after.notices[no]["n"] != notice["n"]:
            report.add("changed", f"the notice of task {no} announced {notice['n']}, and {after.notices[no]['n']} now")
    links = {link["commit"]: link for link in after.chain}
    for link in before.chain:
        now = links.get(link["commit"])
        if now is None:
            report.add("vanished", f"draw {link['no']}, attempt {link['attempt']}, is gone")
        elif any(now[name] != link[name] for name in ("no", "attempt", "prev", "committed_at")):
            report.add("changed", f"draw {link['no']}, attempt {link['attempt']}, is not what it was")
    for no, its in before.tasks.items():
        check_task(no, its, after.tasks.get(no), report)
    check_same_log(before.log, after.log, report)


def check_task(no: str, old: Json, new: Json | None, report: Report) -> None:
    """One task before and after: who drew, and that what was public stays public."""
    if new is None:
        report.add("vanished", f"task {no} is no longer in the ledger")
        return
    for name in ("is_open", "has_notice"):
        if old["task"][name] and not new["task"][name]:
            report.add("changed", f"task {no}: {name} was true, and is no longer")
    sources = {one["source"]: one for one in new["sources"]}
    for one in old["sources"]:
        now = sources.get(one["source"], {})
        if any(now.get(name) != one[name] for name in ("kind", "no", "drawn", "file", "about")):
            report.add("changed", f"task {no}: {one['source']} is gone or not what it was")


def check_line(old: Json, new: Json, report: Report) -> None:
    """One line before and after."""
    digest = old["digest"]
    odd = [name for name in FIXED if old[name] != new[name]]
    if odd:
        report.add("changed", f"{name_of(old)}: {', '.join(odd)} not as before", digest)
    if old["opened"] and new["opened"] != old["opened"]:
        report.add("changed", f"{name_of(old)} was open, and is not open so any more", digest)
    if new["round"] < old["round"] or not may_follow(old, new):
        report.add("backwards", f"{name_of(old)} was {old['state']}, and is {new['state']} now", digest)


def may_follow(old: Json, new: Json) -> bool:
    """Whether a state may come after another: on its way, to an exception, or back where the record was reopened."""
    was, now = old["state"], new["state"]
    if was == now:
        return True
    if was in EXCEPTIONS or was == "published" or now == "left_out":
        return False
    if now in EXCEPTIONS or now == KEPT_BACK:
        return True
    rank = WAY.index("final" if was == KEPT_BACK else was)
    return WAY.index(now) > rank or new["round"] > old["round"]


def check_reopened(before: Taken, after: Taken, report: Report) -> None:
    """Rounds and exceptions that are new since are not more than the acts that the log has got since."""
    new: dict[tuple[str, str], int] = Counter()
    done = after.log.count_since(before.log.size)
    for line in after.lines:
        old = before.by_digest.get(line["digest"])
        if old is not None:
            new[line["task"], "op.reopen"] += line["round"] - old["round"]
            if line["state"] != old["state"] and line["state"] in ACTS and line["state"] != "cancelled":
                new[line["task"], ACTS[line["state"]]] += 1
            if old["state"] == KEPT_BACK and line["state"] in WAY and line["round"] == old["round"]:
                new[line["task"], "withholding.lift"] += 1
    for (no, act), n in new.items():
        if n > done[act] + after.log.slack:
            report.add(
                "exception", f"task {no}: {n} lines changed by {act} since, and the log has {done[act]} such acts"
            )


def check_same_log(before: Log, after: Log, report: Report) -> None:
    """The log grew out of what it was."""
    if after.size < before.size:
        report.add("log", f"the log has {after.size} entries, and had {before.size}")
    changed = [at for at in before.texts if at < after.size and before.texts[at] != after.texts.get(at)]
    if changed:
        report.add("log", f"the log's entries {spans(changed)} are gone or altered")
    elif before.size <= after.size and not after.missing() and after.root_of(before.size) != before.root:
        report.add("log", f"the first {before.size} entries of the log are not those of before")


def check(after: Json, before: Json | None = None) -> Report:
    """What is wrong with what was taken, alone or against what was taken before."""
    report, now = Report(), Taken(after)
    if before is not None:
        check_both(Taken(before), now, report)
    try:
        check_one(now, report)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
        report.add("form", f"what was taken has not its form: {type(fault).__name__} {fault}")
    if now.moved:
        report.notes.append("the bureau went on working while the files were taken: look once more before you accuse")
    if now.log.slack:
        report.notes.append(f"{now.log.slack} acts are younger than the newest checkpoint, and can't be looked up yet")
    return report


# --- the command ------------------------------------------------------------------------------------------------------


def load(path: Path) -> Json:
    """What was kept in a file."""
    try:
        found: Json = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, ValueError, EOFError) as fault:
        raise Cannot(f"{path} can't be read: {fault}") from None
    return found


def keep(folder: Path, taken: Json, name: str) -> Path:
    """Keeps what was taken, under the next number."""
    folder.mkdir(parents=True, exist_ok=True)
    last = max((int(path.name[-12:-8]) for path in folder.glob("*-[0-9][0-9][0-9][0-9].json.gz")), default=0)
    path = folder / f"{name}-{last + 1:04}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(taken, ensure_ascii=False).encode()))
    return path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is told."""
    parser.add_argument("url", nargs="?", help="address of the server, as people open it")
    parser.add_argument("--keep", type=Path, help="folder where what was taken is kept, to be compared next time")
    parser.add_argument(
        "--files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="instead: a kept file, and an older one to compare it with",
    )


def run(given: argparse.Namespace) -> int:
    """Checks, and says what was found."""
    try:
        if given.files:
            taken = [load(path) for path in given.files[:2]]
            return check(taken[0], taken[1] if len(taken) > 1 else None).print()
        if not given.url:
            raise Cannot("Name the address of the server, or --files.")
        return compare(given)
    except Cannot as fault:
        print(fault, file=sys.stderr)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        print(f"The check cannot run: {type(fault).__name__} {fault}", file=sys.stderr)
    return CANNOT


def compare(given: argparse.Namespace) -> int:
    """Takes the files now, and compares them with the last that were good."""
    kept = sorted(given.keep.glob("taken-*.json.gz")) if given.keep else []
    after = take(given.url)
    report = check(after, load(kept[-1]) if kept else None)
    if given.keep:
        path = keep(given.keep, after, "refused" if report.faults else "taken")
        print(f"kept: {path}" + (f", compared with {kept[-1]}" if kept else ""))
    return report.print()


def main() -> int:
    """`python check_ledger.py URL --keep FOLDER` or `python check_ledger.py --files AFTER BEFORE`."""
    parser = argparse.ArgumentParser(prog="check_ledger.py", description=(__doc__ or "").partition("\n")[0])
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
