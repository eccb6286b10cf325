"""Frames: how payloads are stored in a segment file, so that damage is detected.

    salt     4 bytes   random, one for a segment; also in the file's name
    length   u32 LE    bytes of payload, > 0
    crc32    u32 LE    over length and payload, seeded with the salt
    payload

After damage a reader looks for the salt. Clients never see it, so no payload can contain bytes that
look like a frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

Pread = Callable[[int, int], bytes]
"""(length, offset) -> the bytes there, fewer at the end of the file."""

SALT_BYTES = 4
HEADER = struct.Struct("<4sII")
MAX_PAYLOAD_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct("<I")
_CHUNK = 1024 * 1024


def frame(payload: bytes, salt: bytes) -> bytes:
    """Return the frame of a payload.

    Args:
        payload: 1 byte to `MAX_PAYLOAD_BYTES`.
        salt: `SALT_BYTES` bytes.

    Raises:
        ValueError: the payload is empty or too long.
    """
    if not 0 < len(payload) <= MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload has 1 to {MAX_PAYLOAD_BYTES} bytes")
    return HEADER.pack(salt, len(payload), _crc(payload, salt)) + payload


def read_frame(pread: Pread, offset: int, salt: bytes) -> bytes | None:
    """Return the payload of the frame at `offset`, None if no intact frame begins there.

    The next frame begins `HEADER.size + len(payload)` further on.
    """
    header = pread(HEADER.size, offset)
    if len(header) < HEADER.size:
        return None
    found, length, crc = HEADER.unpack(header)
    if found != salt or not 0 < length <= MAX_PAYLOAD_BYTES:
        return None
    payload = pread(length, offset + HEADER.size)
    if len(payload) < length or _crc(payload, salt) != crc:
        return None
    return payload


def find_frame(pread: Pread, offset: int, salt: bytes) -> int | None:
    """Return the offset of the first intact frame that begins at or after `offset`, None if there
    is none."""
    while True:
        # Chunks overlap by one byte less than a salt, so that one across their border is found.
        chunk = pread(_CHUNK, offset)
        if len(chunk) < HEADER.size:
            return None
        at = chunk.find(salt)
        while at >= 0:
            if read_frame(pread, offset + at, salt) is not None:
                return offset + at
            at = chunk.find(salt, at + 1)
        offset += max(1, len(chunk) - SALT_BYTES + 1)


def _crc(payload: bytes, salt: bytes) -> int:
    seed = zlib.crc32(_LENGTH.pack(len(payload)), int.from_bytes(salt, "little"))
    return zlib.crc32(payload, seed)
