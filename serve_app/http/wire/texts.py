"""Which characters a text may hold, for the API reference only: JSON Schemas of the checks below.

No pattern names lone surrogates, which every check refuses: JSON in UTF-8 cannot hold them, and a
pattern with them means something else to engines that read UTF-16.
"""

from __future__ import annotations

from typing import Any, Final

_CONTROLS: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"

PRINTABLE: Final[dict[str, Any]] = {"pattern": rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"}
"""Not blank, no control characters: `fraud.payment.limits.text_problem`."""

SEVERAL_LINES: Final[dict[str, Any]] = {
    "pattern": r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
}
"""Line breaks and tabs, but no other control characters: `fraud.payment.metadata.value_problem`."""

STORABLE: Final[dict[str, Any]] = {"pattern": r"^[^\u0000]*$"}
"""What PostgreSQL keeps: no NUL."""
