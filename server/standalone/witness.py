"""A witness of the log: looks at its newest checkpoint, and countersigns only what grew out of what it saw before.

    python witness.py https://suijian.example.cn --state state.json --key witness.key

One file; it needs Python 3.11 and the package `cryptography`, and nothing of the server that it watches. The first time
it makes a key (say by `--name` whose it is), believes the log's key unless `--log-key` names it, and prints both: hand
the witness's key to the bureau, and compare the log's key with what the bureau prints. Every further time it asks for
the proof that the new tree begins as the one of last time did. Where that fails it signs nothing, keeps what it was
shown beside its state, and says what is wrong: somebody rewrote the log, or shows it differently to different people.

It ends with 0 (countersigned), 1 (refused: a line says why) or 2 (cannot run).
Formats: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature; proofs: RFC 9162, section 2.1.4.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GOOD, REFUSED, CANNOT = 0, 1, 2
LOG, WITNESS = b"\x01", b"\x04"
MOST_BYTES = 2**20
SECONDS = 30
DASH = "\u2014 "


class Refuse(Exception):
    """The log isn't what it was; the text says how."""


class Cannot(Exception):
    """There is nothing to judge: no answer, no key, no state that can be read."""


# --- notes and keys ---------------------------------------------------------------------------------------------------


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """The four bytes by which a signature names its key."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def key_text(name: str, kind: bytes, public: bytes) -> str:
    """A public key in one line: name+hash+key."""
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(kind + public).decode()}"


def read_key(text: str) -> tuple[str, bytes]:
    """Name and public key of a log, from its line."""
    name, _, rest = text.strip().partition("+")
    digest, _, body = rest.partition("+")
    raw = unpack(body)
    if len(raw) != 33 or raw[:1] != LOG or key_id(name, LOG, raw[1:]).hex() != digest:
        raise Cannot(f"'{text.strip()[:200]}' is no key of a log.")
    return name, raw[1:]


def unpack(text: str) -> bytes:
    """Base64; nothing where it isn't."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def take_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note, and under it each name with the bytes of its signature."""
    head, gap, tail = note.rpartition("\n\n")
    lines = re.findall(rf"^{DASH}(\S+) (\S+)$", tail, re.MULTILINE)
    if not gap or not lines:
        raise Cannot("What came as the checkpoint is no signed note.")
    return head + "\n", [(name, unpack(text)) for name, text in lines]


def is_signed(text: str, signatures: list[tuple[str, bytes]], key: str) -> bool:
    """Whether a key's signature is among those under a text."""
    name, public = read_key(key)
    id_ = key_id(name, LOG, public)
    return any(who == name and raw[:4] == id_ and verifies(public, text.encode(), raw[4:]) for who, raw in signatures)


def verifies(public: bytes, message: bytes, raw: bytes) -> bool:
    """Whether these are the bytes of this key's signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_tree(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint."""
    lines = text.split("\n")
    root = unpack(lines[2]) if len(lines) > 2 else b""
    if len(root) != 32 or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        raise Refuse("What the log signed is no checkpoint.")
    return lines[0], int(lines[1]), root


# --- the proof --------------------------------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_consistent(first: int, first_root: bytes, second: int, root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2: whether the first tree is how the second began. Every tree begins with nothing."""
    if first == second:
        return not proof and first_root == root
    if first == 0:
        return not proof and first_root == hashlib.sha256(b"").digest()
    if not 0 < first < second or not proof:
        return False
    steps = proof if first & (first - 1) else [first_root, *proof]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node(step, old), node(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == root


# --- the log that is watched ------------------------------------------------------------------------------------------


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is watched is one address; whoever leads elsewhere is not believed."""

    def redirect_request(self, *_given: object) -> None:
        """Follows nothing."""


def ask(address: str, path: str, body: bytes | None = None) -> bytes:
    """The answer of the log to one question."""
    request = urllib.request.Request(address.rstrip("/") + path, data=body)
    if body is not None:
        request.add_header("Content-Type", "text/plain; charset=utf-8")
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=SECONDS) as answer:
            found: bytes = answer.read(MOST_BYTES)
            return found
    except urllib.error.HTTPError as refused:
        raise Cannot(f"{address}{path} answered {refused.code}: {detail_of(refused)}") from None
    except (OSError, ValueError) as fault:
        raise Cannot(f"{address}{path} cannot be asked: {fault}") from None


def detail_of(refused: urllib.error.HTTPError) -> str:
    """What the log says of its refusal."""
    try:
        return str(json.loads(refused.read(MOST_BYTES))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(refused.reason)


def known_key(address: str, text: str, signatures: list[tuple[str, bytes]], known: list[str]) -> list[str]:
    """The keys that are believed, after those were added that one of them vouches for; the newest signed the note."""
    if any(is_signed(text, signatures, key) for key in known):
        return known
    for one in json.loads(ask(address, "/log/keys"))["keys"]:
        if one["note"] is None or one["key"] in known:
            continue
        said, under = take_apart(one["note"])
        new = f"{read_tree_name(known[-1])}\nnew key\n{one['key']}\n"
        if said == new and is_signed(said, under, one["key"]) and any(is_signed(said, under, key) for key in known):
            known = [*known, one["key"]]
    if any(is_signed(text, signatures, key) for key in known):
        return known
    raise Refuse(f"The checkpoint isn't signed by the log's key {known[-1]}, nor by one that this key vouches for.")


def read_tree_name(key: str) -> str:
    """The origin that a key is named for."""
    return read_key(key)[0]


def judge(address: str, text: str, state: dict[str, object]) -> None:
    """Raises `Refuse` unless the tree began as the one that this witness saw last."""
    origin, size, root = read_tree(text)
    if origin != state["origin"]:
        raise Refuse(f"The log calls itself {origin} now; it was {state['origin']}. That is another log.")
    last, last_root = int(str(state["size"])), bytes.fromhex(str(state["root"]))
    if size < last:
        raise Refuse(f"The log has {size} entries now; it had {last} when last witnessed. Entries were taken away.")
    proof: list[bytes] = []
    if 0 < last < size:
        found = json.loads(ask(address, f"/log/consistency?first={last}&second={size}"))["path"]
        proof = [bytes.fromhex(step) for step in found]
    if not is_consistent(last, last_root, size, root, proof):
        raise Refuse(
            f"The log of {size} entries (root {root.hex()}) doesn't begin as the {last} entries that were witnessed "
            f"(root {last_root.hex()}). Entries up to number {last} were rewritten."
        )


# --- what it keeps ----------------------------------------------------------------------------------------------------


def open_key(path: Path, name: str | None) -> tuple[str, Ed25519PrivateKey]:
    """The witness's own key, made the first time: a line with its name and its private part."""
    if not path.exists():
        if not name or re.search(r"[\s+]", name):
            raise Cannot(f"{path} is not there yet: say by --name whose key it shall be (no blank, no plus sign).")
        private = Ed25519PrivateKey.generate()
        line = f"{name} {base64.b64encode(private.private_bytes_raw()).decode()}\n"
        write(path, line)
    found, _, body = path.read_text().strip().rpartition(" ")
    if not found or len(unpack(body)) != 32:
        raise Cannot(f"{path} holds no witness's key.")
    return found, Ed25519PrivateKey.from_private_bytes(unpack(body))


def write(path: Path, text: str) -> None:
    """Writes a file whole or not at all, for its owner only."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_state(path: Path) -> dict[str, object] | None:
    """What this witness saw last; None before the first time."""
    if not path.exists():
        return None
    try:
        state: dict[str, object] = json.loads(path.read_text())
        int(str(state["size"])), bytes.fromhex(str(state["root"])), state["origin"], list(keys_of(state))
    except (ValueError, KeyError, TypeError):
        raise Cannot(f"{path} can't be read; without it nothing can be compared, so nothing is signed.") from None
    return state


def keys_of(state: dict[str, object]) -> list[str]:
    """The log's keys that are believed."""
    found = state["keys"]
    return [str(key) for key in found] if isinstance(found, list) else []


def first_state(address: str, text: str, signatures: list[tuple[str, bytes]], log_key: str | None) -> dict[str, object]:
    """The state before the first time: nothing seen, and a key to believe."""
    origin, believed = read_tree(text)[0], log_key
    if believed is None:
        keys = [str(one["key"]) for one in json.loads(ask(address, "/log/keys"))["keys"]]
        believed = next((key for key in reversed(keys) if is_signed(text, signatures, key)), None)
    if believed is None:
        raise Refuse("The checkpoint isn't signed by any key that the log names.")
    if read_key(believed)[0] != origin:
        raise Refuse(f"The key is named for {read_key(believed)[0]}, and the checkpoint for {origin}.")
    return {"origin": origin, "keys": [believed], "size": 0, "root": hashlib.sha256(b"").hexdigest()}


def cosignature(name: str, private: Ed25519PrivateKey, text: str, seconds: int) -> str:
    """The witness's line under a checkpoint."""
    public = private.public_key().public_bytes_raw()
    raw = private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    body = key_id(name, WITNESS, public) + seconds.to_bytes(8, "big") + raw
    return f"{DASH}{name} {base64.b64encode(body).decode()}\n"


def witness(given: argparse.Namespace) -> int:
    """Looks once, and countersigns or refuses."""
    is_new = not given.key.exists()
    name, private = open_key(given.key, given.name)
    if is_new:
        print(f"witness key (hand it to the bureau): {own_key(name, private)}")
    note = ask(given.url, "/log/checkpoint").decode()
    text, signatures = take_apart(note)
    state = read_state(given.state)
    if state is None:
        state = first_state(given.url, text, signatures, given.log_key)
        print(f"log key (compare it with what the bureau prints): {keys_of(state)[0]}")
    try:
        state["keys"] = known_key(given.url, text, signatures, keys_of(state))
        judge(given.url, text, state)
    except Refuse:
        write(given.state.with_name(given.state.name + ".refused"), note)
        raise
    _, size, root = read_tree(text)
    line = cosignature(name, private, text, int(time.time()))
    write(given.state, json.dumps(state | {"size": size, "root": root.hex()}, indent=1) + "\n")
    hand_back(given, note, line)
    print(f"witnessed: {size} entries, root {root.hex()}")
    return GOOD


def own_key(name: str, private: Ed25519PrivateKey) -> str:
    """The witness's public key in one line."""
    return key_text(name, WITNESS, private.public_key().public_bytes_raw())


def hand_back(given: argparse.Namespace, note: str, line: str) -> None:
    """Gives the checkpoint with the line under it to the log, and to a file where one is named."""
    text = note.rpartition("\n\n")[0] + "\n\n"
    whole = text + "".join(f"{one}\n" for one in note[len(text) :].splitlines() if one + "\n" != line) + line
    if given.out is not None:
        write(given.out, whole)
    if not given.keep:
        ask(given.url, "/log/cosignatures", whole.encode())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is told."""
    parser.add_argument("url", help="address of the server, as people open it")
    parser.add_argument("--state", type=Path, required=True, help="file in which the witness keeps what it saw last")
    parser.add_argument("--key", type=Path, required=True, help="file of the witness's own key; made the first time")
    parser.add_argument("--name", help="whose key it is, such as witness.example.cn/audit; only for a new key")
    parser.add_argument("--log-key", help="the log's key, as the bureau prints it; only the first time")
    parser.add_argument("--out", type=Path, help="also write the countersigned checkpoint to this file")
    parser.add_argument("--keep", action="store_true", help="don't give the countersignature to the server")


def run(given: argparse.Namespace) -> int:
    """Looks once, and says what is wrong in one line."""
    try:
        return witness(given)
    except Refuse as refusal:
        print(f"REFUSED: {refusal}")
        return REFUSED
    except Cannot as fault:
        print(fault, file=sys.stderr)
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as fault:
        print(f"The witness cannot run: {fault}", file=sys.stderr)
    return CANNOT


def main() -> int:
    """`python witness.py URL --state FILE --key FILE`."""
    parser = argparse.ArgumentParser(prog="witness.py", description=(__doc__ or "").partition("\n")[0])
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
