from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.category_codes import category_code, category_codes
from data.files.source import SourceUnreadable
from data.layout.layout import LayoutInvalid, load_layout, parse_layout
from fraud.errors import NotTrainable
from training.sets.schema import FeatureSchema
from training.sets.tabular import read_table

TOML = """
name = "loans"
[columns]
transaction_id = { row_number = true }
customer_id = { row_number = true }
timestamp = { column = "day", unit = "days", base = "2020-01-01" }
amount = "sum"
currency = { constant = "EUR" }
type = { constant = "debit" }
[label]
column = "bad"
delay_days = 30
[tabular]
numeric = ["sum", "age"]
categorical = ["job"]
"""
CSV = """day,sum,age,job,bad
2,10.5,40,cook,0
1,-3,,smith,1
3,7,x,,0
2,8,50,cook,1
"""
DAY_MS = 86_400_000


def _file(folder: Path, text: str = CSV) -> Path:
    path = folder / "loans.csv"
    path.write_text(text)
    return path


def _read(path: Path, toml: str = TOML):
    told: list[tuple[int, int]] = []
    dataset = read_table(path, parse_layout(toml, "loans.toml"), lambda *t: told.append(t))
    return dataset, told


def test_rows_come_in_the_order_of_time_with_their_own_columns(tmp_path: Path) -> None:
    dataset, told = _read(_file(tmp_path))
    cook, smith = category_code("cook"), category_code("smith")
    expected = [[-3, np.nan, smith], [10.5, 40, cook], [8, 50, cook], [7, np.nan, np.nan]]
    np.testing.assert_array_equal(dataset.values, np.array(expected, np.float32))
    assert dataset.label.tolist() == [1, 0, 1, 0]
    assert (np.diff(dataset.timestamp_ms) // DAY_MS).tolist() == [1, 0, 1]
    assert dataset.known_at_ms.tolist() == dataset.timestamp_ms.tolist()
    assert dataset.amount.tolist() == [3, 10.5, 8, 7]
    assert dataset.customer_id is None
    assert dataset.schema == FeatureSchema.tabular(("sum", "age", "job"), (2,))
    assert told[-1] == (4, 4)


def test_a_column_of_label_times_is_used(tmp_path: Path) -> None:
    toml = TOML.replace(
        "delay_days = 30", 'known_at = { column = "told", unit = "days", base = "2020-01-01" }'
    )
    text = "day,sum,age,job,bad,told\n1,1,1,a,1,9\n2,1,1,a,0,\n"
    dataset, _ = _read(_file(tmp_path, text), toml)
    assert dataset.label.tolist() == [1, -1]
    assert dataset.known_at_ms[0] - dataset.timestamp_ms[0] == 8 * DAY_MS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CSV.replace("cook,0", "cook,2"), "line 2: bad is neither"),
        (CSV.replace("2,10.5", "later,10.5"), "line 2: day is not a time"),
        (CSV + "1,2\n", "line 6: has 2 values"),
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SourceUnreadable, match=why):
        _read(_file(tmp_path, text))


def test_a_file_without_the_columns_is_named(tmp_path: Path) -> None:
    with pytest.raises(LayoutInvalid, match="no column age, job"):
        _read(_file(tmp_path, "day,sum,bad\n1,2,0\n"))


def test_a_layout_without_columns_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(NotTrainable, match=r"no section \[tabular\]"):
        read_table(_file(tmp_path), load_layout("handbook"), lambda *_: None)
    for wrong, why in (
        ('numeric = ["sum", "age"]', "sum is listed twice"),
        ("", "needs a column"),
    ):
        lines = TOML.replace('numeric = ["sum", "age"]', wrong)
        lines = lines.replace('categorical = ["job"]', 'categorical = ["sum"]' if wrong else "")
        with pytest.raises(LayoutInvalid, match=why):
            parse_layout(lines, "loans.toml")


def test_codes_are_the_same_however_a_file_writes_them() -> None:
    assert category_codes(["3", None, "-2", "x"])[[0, 2]].tolist() == [3, -2]
    assert np.isnan(category_codes([None]))[0]
    texts = [f"category {i}" for i in range(200)] + ["12345", "٣", "3.5"]
    codes = category_codes(texts)
    assert len(set(codes.tolist())) == len(texts)
    assert codes.min() >= 10_000
    assert codes.max() < 2**24


@pytest.mark.parametrize("name", ["ulb", "german-credit", "uci-default"])
def test_sets_without_entities_come_with_their_columns(name: str) -> None:
    fields = load_layout(name).tabular
    assert fields is not None
    label = load_layout(name).label
    assert label is not None
    assert label.column not in (*fields.numeric, *fields.categorical)


def test_texts_that_are_numbers_are_read(tmp_path: Path) -> None:
    text = """day,sum,age,job,bad
2,"$60,000.00 ",36 months,cook,N
1,"(1,250.50)",48 months,NULL,Y
3,7,3 years,cook,N
"""
    warned: list[str] = []
    layout = parse_layout(TOML, "loans.toml")
    found = read_table(_file(tmp_path, text), layout, lambda *_: None, warned.append)
    np.testing.assert_array_equal(
        found.values[:, :2], np.array([[-1250.5, 48], [60_000, 36], [7, np.nan]], np.float32)
    )
    assert np.isnan(found.values[0, 2])
    assert found.label.tolist() == [1, 0, 0]
    [sentence] = warned
    assert "1 of 3 cells of column age are not numbers, such as '3 years' (line 4)" in sentence


def test_a_column_that_is_mostly_no_numbers_is_refused_with_examples(tmp_path: Path) -> None:
    text = CSV.replace("40", "forty").replace("50", "fifty")
    with pytest.raises(LayoutInvalid, match=r"3 of 3 cells of column age .*'forty' \(line 2\)"):
        _read(_file(tmp_path, text))
    toml = TOML.replace('numeric = ["sum", "age"]', 'numeric = ["day"]')
    words = CSV.replace("10.5", "ten").replace(",7,", ",seven,").replace(",8,", ",eight,")
    path = _file(tmp_path, words)
    with pytest.raises(LayoutInvalid, match="amount: 3 of 4 cells of column sum"):
        _read(path, toml)


def test_a_label_day_that_cannot_be_read_ends_the_reading(tmp_path: Path) -> None:
    toml = TOML.replace("delay_days = 30", 'known_at = { column = "told", format = "%d/%m/%Y" }')
    text = "day,sum,age,job,bad,told\n1,1,1,a,1,2026-07-05\n"
    with pytest.raises(SourceUnreadable, match="line 2: told is not a time"):
        _read(_file(tmp_path, text), toml)


def test_no_label_of_a_table_is_known_before_its_row(tmp_path: Path) -> None:
    toml = TOML.replace("delay_days = 30", 'known_at = "told"').replace(
        '{ column = "day", unit = "days", base = "2020-01-01" }', '"day"'
    )
    header = "day,sum,age,job,bad,told\n"
    sound = _file(tmp_path, f"{header}2020-01-02 10:00,1,2,cook,1,2020-01-02\n")
    dataset, _ = _read(sound, toml)
    assert dataset.known_at_ms.tolist() == dataset.timestamp_ms.tolist()
    early = _file(tmp_path, f"{header}2020-01-02 10:00,1,2,cook,1,2020-01-01\n")
    with pytest.raises(SourceUnreadable, match="line 2: told lies before its row"):
        _read(early, toml)
