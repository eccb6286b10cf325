"""API keys: `qk_<id>_<secret>`. Pure: what a key looks like, how it is hashed, when it fits.

The id is public and finds the row; the secret never leaves the caller. Stored is the
HMAC-SHA-256 of the whole key under a pepper that is not in the database, so that a stolen table
neither yields keys nor lets anybody check guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

# Letters and digits without 0/o and 1/l: ids are read aloud and typed from screenshots.
ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
ID_LENGTH = 12
SECRET_BYTES = 32
FRESH_S = 30.0
"""For so long an ingress takes a key that was good without asking: after a revocation, or a change
of tier, the old state may hold so long."""
STALE_S = 300.0
"""The same while PostgreSQL does not answer."""

_KEY = re.compile(rf"qk_([{ID_ALPHABET}]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{32,128}})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key taken apart. `str()` is the whole key; `repr()` hides the secret.

    Attributes:
        key_id: the public part, 12 characters of `ID_ALPHABET`.
        secret: the private part, 32 to 128 URL-safe characters.
    """

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"qk_{self.key_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"ApiKey(key_id={self.key_id!r}, secret=…)"


def new_key(token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> ApiKey:
    """A fresh key with 256 bits of secret.

    Args:
        token_bytes: where randomness comes from: n -> n bytes.
    """
    key_id = "".join(ID_ALPHABET[byte % len(ID_ALPHABET)] for byte in token_bytes(ID_LENGTH))
    return ApiKey(key_id, _urlsafe(token_bytes(SECRET_BYTES)))


def parse_key(text: str) -> ApiKey | None:
    """The key that `text` is, or None if it has not the form of one. Never raises."""
    match = _KEY.fullmatch(text)
    return None if match is None else ApiKey(match[1], match[2])


def hash_key(pepper: str, key: ApiKey) -> bytes:
    """HMAC-SHA-256 of the whole key, 32 bytes: what `api_keys.hash` holds.

    Raises:
        ValueError: the pepper is empty.
    """
    if not pepper:
        raise ValueError("the pepper of API keys is empty")
    keyed = _keyed(pepper).copy()
    keyed.update(str(key).encode())
    return keyed.digest()


@lru_cache(maxsize=4)
def _keyed(pepper: str) -> hmac.HMAC:
    """Made once: to take a key in is dearer than to hash with it."""
    return hmac.new(pepper.encode(), digestmod=hashlib.sha256)


def verify_key(pepper: str, key: ApiKey, stored: bytes) -> bool:
    """Whether `stored` is this key's hash, in a time that does not depend on where they differ."""
    return hmac.compare_digest(hash_key(pepper, key), stored)


def _urlsafe(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
