from __future__ import annotations

import pytest

from decision_log.shipping.array_text import array_text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ([], "{}"),
        ([1, -2, None, 2**62], "{1,-2,null,4611686018427387904}"),
        (["a", "null", "", None, "é,{}"], '{"a","null","",null,"é,{}"}'),
        (['"', "\\", "\n\t"], '{"\\"","\\\\","\n\t"}'),
    ],
)
def test_an_array_as_postgres_reads_it(column, text):
    assert array_text(column) == text


def test_text_without_utf8_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        array_text(["\ud800"])
