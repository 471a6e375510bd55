"""Deletion certificates: what is signed, how, and how anybody checks it.

A certificate is a JSON object of texts, numbers and lists, written in one way only (names in
order, no blanks, UTF-8), and signed with Ed25519 (RFC 8032). What was destroyed is in it as the
root of a Merkle tree (RFC 6962, section 2.1) over keyed digests of the loans: whoever has the key
can show that one loan was among them, nobody else learns anything from it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DIGEST_BYTES = 32
KEY_ID_LETTERS = 16
ALGORITHM = "Ed25519"
FORMAT = "fairplace-deletion-certificate-1"


class Invalid(Exception):
    """Why a certificate is not to be believed, as a sentence."""


def digest_of(key: bytes, loan_id: object) -> bytes:
    """The keyed digest of one loan: HMAC-SHA-256 under a key of the portal's."""
    return hmac.digest(key, f"loan:{loan_id}".encode(), hashlib.sha256)


def root(digests: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 6962 over distinct digests in order; SHA-256 of nothing if none.

    Leaves and nodes are told apart by their first byte, so that neither passes for the other.
    """
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in sorted(set(digests))]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        # An odd one out goes up as it is, which gives the tree of the RFC.
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        level = above + level[len(above) * 2 :]
    return level[0]


def split(digests: bytes) -> list[bytes]:
    """Digests that were written one after the other."""
    return [bytes(digests[at : at + DIGEST_BYTES]) for at in range(0, len(digests), DIGEST_BYTES)]


def canonical(document: dict[str, Any]) -> str:
    """The one text of a document, which is what is signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def key_id(public_key: bytes) -> str:
    """By what a public key is named: the beginning of its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_LETTERS]


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key that belongs to a private one."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(text: str, seed: bytes) -> str:
    """The signature of a text in base64; `seed` is the private key, 32 bytes."""
    made = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return base64.b64encode(made).decode()


def file(document: str, signature: str, signer: str) -> str:
    """The text of the file that people keep, out of a canonical document and its signature."""
    signed = {"algorithm": ALGORITHM, "key_id": signer, "value": signature}
    return json.dumps(
        {"certificate": json.loads(document), "signature": signed}, indent=2, ensure_ascii=False
    )


def verify(text: str, key: bytes) -> dict[str, Any]:
    """The document in a certificate's file; `key` is the portal's public key, 32 bytes.

    Raises `Invalid` with the reason.
    """
    try:
        whole = json.loads(text)
        document, signed = whole["certificate"], whole["signature"]
        value = base64.b64decode(signed["value"], validate=True)
        is_ours = (document["format"], signed["algorithm"]) == (FORMAT, ALGORITHM)
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("This is not a deletion certificate.") from error
    if not is_ours:
        raise Invalid("This is not a deletion certificate.")
    if signed.get("key_id") != key_id(key):
        raise Invalid("The certificate was signed with another key.")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(value, canonical(document).encode())
    except InvalidSignature as error:
        raise Invalid("The signature does not fit: the certificate was changed.") from error
    return document
