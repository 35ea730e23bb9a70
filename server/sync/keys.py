"""Keys: the server's own P-256 key, and the check of a signature by a device's public key."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from server.store.seal import Sealer, open_sealer

SERVER_RID: Final = re.compile(r"srv[0-9]*\Z")
"""The names of the server's own replicas: `srv`, and in later epochs `srv2`, `srv3`..."""

_SHA256 = ec.ECDSA(hashes.SHA256())


class Keys:
    """What the server signs its own operations with, as replica `rid` of the epoch `epoch`."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, rid: str, epoch: str, sealer: Sealer | None = None) -> None:
        self._private = private
        self.sealer = sealer  # opens what phones are told of their visits' subjects
        self.rid = rid
        self.epoch = epoch
        self.public_jwk = jwk_of(private.public_key())

    def sign(self, message: bytes) -> str:
        """The signature of `message`, r‖s in base64url."""
        return signed_by(self._private, message)


def open_keys(folder: Path, rid: str, epoch: str) -> Keys:
    """Reads the server's key at `<folder>/server.pem`, which is made at the first start and read by nobody else."""
    path = folder / "server.pem"
    if not path.exists():
        _make(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no P-256 key.")
    return Keys(private, rid, epoch, open_sealer(folder))


def signed_by(private: ec.EllipticCurvePrivateKey, message: bytes) -> str:
    """The signature of `message` as the wire has it: r‖s, 64 bytes, base64url without padding."""
    r, s = decode_dss_signature(private.sign(message, _SHA256))
    return base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()


def is_signed(jwk: Mapping[str, str], message: bytes, sig: str) -> bool:
    """Whether `sig` is the signature of `message` by the key `jwk`."""
    try:
        raw = base64.b64decode(sig + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != 64 or len(sig) != 86:
        return False
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        _public(jwk["x"], jwk["y"]).verify(der, message, _SHA256)
    except InvalidSignature:
        return False
    return True


def jwk_of(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """A public key as JWK."""
    numbers = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _text(numbers.x), "y": _text(numbers.y)}


@lru_cache(maxsize=4096)
def _public(x: str, y: str) -> ec.EllipticCurvePublicKey:
    """Loading a key costs more than checking with it, so the phones of a busy day stay loaded."""
    numbers = ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1())
    return numbers.public_key()


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def _make(path: Path) -> None:
    """Writes a new key whole or not at all; where another process was first, his stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
