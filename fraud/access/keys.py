"""API keys: `qk_<id>_<secret>`. Their form, their hash, and the check of one against the other.

The id is public and finds the row; the secret is only in the key. The table holds the HMAC-SHA-256
of the whole key under a pepper that is not in the database, so a stolen table neither yields keys
nor lets anybody check guesses.
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
"""How long an ingress accepts a valid key without reading the table again: a revocation, or a
change of tier or scopes, may take this long to apply."""
STALE_S = 300.0
"""The same while PostgreSQL is away."""

_KEY = re.compile(rf"qk_([{ID_ALPHABET}]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{32,128}})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in its parts. `str()` is the whole key; `repr()` hides the secret.

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
    """Return a new key with 256 bits of secret.

    Args:
        token_bytes: source of randomness: n -> n bytes.
    """
    key_id = "".join(ID_ALPHABET[byte % len(ID_ALPHABET)] for byte in token_bytes(ID_LENGTH))
    return ApiKey(key_id, _urlsafe(token_bytes(SECRET_BYTES)))


def parse_key(text: str) -> ApiKey | None:
    """Return the key in `text`, None if it does not have the form of a key. Never raises."""
    match = _KEY.fullmatch(text)
    return None if match is None else ApiKey(match[1], match[2])


def hash_key(pepper: str, key: ApiKey) -> bytes:
    """Return the HMAC-SHA-256 of the whole key, 32 bytes, as `api_keys.hash` holds it.

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
    """Cached: setting up the HMAC costs more than hashing a key."""
    return hmac.new(pepper.encode(), digestmod=hashlib.sha256)


def verify_key(pepper: str, key: ApiKey, stored: bytes) -> bool:
    """Return whether `stored` is this key's hash, in constant time."""
    return hmac.compare_digest(hash_key(pepper, key), stored)


def _urlsafe(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
