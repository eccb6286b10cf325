"""No text that is shown holds the password of an address."""

from __future__ import annotations

import pytest

from stores.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:hid_den7@h/api failed", "http://***@h/api failed"),
        ("API request to https://hid_den7@h:1/x, again", "API request to https://***@h:1/x, again"),
        ("postgresql://u:hid@_den7@h/d", "postgresql://***@h/d"),
        ("postgresql://u:hid/_den7@h/d", "postgresql://***@h/d"),
        ("connection to host=h password='hid den7' failed", "connection to host=h password=***"),
        ("postgresql://h/d?user=u&password=hid_den7&x=1", "postgresql://h/d?user=u&password=***"),
        ("no address: a@b, 12:30", "no address: a@b, 12:30"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert redacted(text).startswith(shown)
    assert "den7" not in redacted(text)
