"""What the profile of a column says, for many kinds of columns and ways of writing them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from references.profile.column import MAX_CATEGORIES, QUANTILES, ColumnKind, ColumnProfile
from references.profile.measure import Profiler, measure

N = 3_000
RNG = np.random.default_rng(5)
AMOUNTS = RNG.lognormal(3, 1, N).round(2)
START = datetime(2024, 3, 1, tzinfo=UTC)
SECONDS = np.sort(RNG.integers(0, 40 * 86_400, N))
TIMES = [START + timedelta(seconds=int(s)) for s in SECONDS]


def one(cells: object, name: str = "column", **options: object) -> ColumnProfile:
    array = cells if isinstance(cells, pa.Array) else pa.array(cells)
    (profile,) = measure({name: array}, **options)
    return profile


def near(profile: ColumnProfile, value: float, rank: int = 10) -> bool:
    """Whether a quantile, the median by default, is a value to within a few parts in a hundred."""
    return profile.quantiles[rank] == pytest.approx(value, rel=0.05)


NUMBERS = {
    "plain": (lambda v: f"{v:.2f}", "."),
    "comma": (lambda v: f"{v:.2f}".replace(".", ","), ","),
    "dollar": (lambda v: f"${v:,.2f}", "."),
    "euro": (lambda v: f"{v:,.2f} €".translate(str.maketrans(",.", ".,")), ","),
    "spaces": (lambda v: f"{v:,.2f}".replace(",", " ").replace(".", ","), ","),
    "science": (lambda v: f"{v:.6e}", "."),
    "padded": (lambda v: f"  {v:.2f} ", "."),
    "percent": (lambda v: f"{v:.2f}%", "."),
}


@pytest.mark.parametrize("style", NUMBERS)
def test_numbers_are_read_however_they_are_written(style: str) -> None:
    write, decimal = NUMBERS[style]
    profile = one([write(v) for v in AMOUNTS], decimal=decimal)
    assert profile.kind is ColumnKind.NUMBER
    assert len(profile.quantiles) == QUANTILES
    assert list(profile.quantiles) == sorted(profile.quantiles)
    assert near(profile, float(np.median(AMOUNTS)) / (100 if style == "percent" else 1))
    assert not profile.whole
    assert profile.categories == ()


TYPED = {
    "double": lambda: pa.array(AMOUNTS),
    "float": lambda: pa.array(AMOUNTS.astype(np.float32)),
    "half": lambda: pa.array(AMOUNTS.astype(np.float16)),
    "decimal": lambda: pa.array([Decimal(f"{v:.2f}") for v in AMOUNTS]),
    "dictionary": lambda: pa.array([f"{v:.2f}" for v in AMOUNTS]).dictionary_encode(),
    "large_string": lambda: pa.array([f"{v:.2f}" for v in AMOUNTS], pa.large_string()),
    "string_view": lambda: pa.array([f"{v:.2f}" for v in AMOUNTS]).cast(pa.string_view()),
    "binary": lambda: pa.array([f"{v:.2f}".encode() for v in AMOUNTS]),
}


@pytest.mark.parametrize("kind", TYPED)
def test_numbers_of_every_type_have_the_profile_of_their_texts(kind: str) -> None:
    profile = one(TYPED[kind]())
    assert profile.kind is ColumnKind.NUMBER
    assert (profile.rows, profile.filled) == (N, N)
    assert near(profile, float(np.median(AMOUNTS)))
    assert profile.mean == pytest.approx(float(AMOUNTS.mean()), rel=0.05)
    assert profile.deviation == pytest.approx(float(AMOUNTS.std()), rel=0.2)


def test_missing_values_are_counted_and_change_nothing_else() -> None:
    texts = [f"{v:.2f}" for v in AMOUNTS]
    for place, marker in enumerate(("", " ", "NA", "null", "-", "?", None, "NaN")):
        texts[place * 7] = marker  # type: ignore[call-overload]
    profile = one(texts)
    assert (profile.rows, profile.filled) == (N, N - 8)
    assert profile.kind is ColumnKind.NUMBER
    assert profile.null_rate == pytest.approx(8 / N)
    floats = AMOUNTS.copy()
    floats[:9] = np.nan
    assert one(pa.array(floats)).filled == N - 9
    assert one(pa.array([None, *AMOUNTS[1:]], pa.float64())).filled == N - 1
    own = one(["x", *texts[1:]], missing=("x",))
    assert own.filled == N - 3, "only an empty cell is always missing: x, a space and None"


def test_a_number_that_stands_for_a_missing_value_is_missing() -> None:
    counts = RNG.integers(100, 900, N)
    counts[:30] = -1
    for cells in (pa.array(counts), pa.array([str(c) for c in counts])):
        profile = one(cells, missing=("-1",))
        assert profile.filled == N - 30
        assert profile.quantiles[0] >= 100


def test_a_few_cells_that_are_no_numbers_do_not_change_the_kind() -> None:
    texts = [f"{v:.2f}" for v in AMOUNTS]
    texts[5] = texts[900] = "see note"
    assert one(texts).kind is ColumnKind.NUMBER
    half = [t if i % 2 else f"word {i}" for i, t in enumerate(texts)]
    assert one(half).kind is ColumnKind.TEXT


def test_categories_have_exact_shares_and_the_most_frequent_first() -> None:
    words = ["pos"] * 1500 + ["online"] * 900 + [" atm "] * 590 + [None] * 10
    RNG.shuffle(words)
    profile = one(words)
    assert profile.kind is ColumnKind.CATEGORY
    assert profile.distinct == 3
    filled = N - 10
    assert profile.categories == (
        ("pos", round(1500 / filled, 6)),
        ("online", round(900 / filled, 6)),
        ("atm", round(590 / filled, 6)),
    )
    assert profile.quantiles == ()


def test_only_the_most_frequent_categories_are_kept() -> None:
    profile = one([f"town of {chr(65 + i % 26)}{chr(65 + i % 60 // 26)}" for i in range(N)])
    assert profile.kind is ColumnKind.CATEGORY
    assert profile.distinct > MAX_CATEGORIES == len(profile.categories)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([bool(i % 3) for i in range(300)]),
        pa.array(["yes" if i % 3 else "no" for i in range(300)]),
        pa.array(["T" if i % 3 else "F" for i in range(300)]),
        pa.array(["red" if i % 3 else "blue" for i in range(300)]).dictionary_encode(),
    ],
    ids=["bool", "yes", "letter", "dictionary"],
)
def test_answers_to_a_question_are_categories(cells: pa.Array) -> None:
    profile = one(cells)
    assert profile.kind is ColumnKind.CATEGORY
    assert profile.distinct == 2
    assert profile.categories[0][1] == pytest.approx(2 / 3)


@pytest.mark.parametrize("write", [lambda c: c, str, lambda c: f"{c}.0", float])
def test_codes_of_few_values_are_categories_with_quantiles(write: object) -> None:
    codes = RNG.integers(0, 6, N)
    profile = one([write(int(c)) for c in codes])  # type: ignore[operator]
    assert profile.kind is ColumnKind.CATEGORY
    assert profile.whole
    assert {text for text, _ in profile.categories} == {"0", "1", "2", "3", "4", "5"}
    assert profile.quantiles[0] == 0
    assert profile.quantiles[-1] == 5


def test_merchant_categories_by_number_are_codes_although_there_are_many() -> None:
    codes = RNG.choice(np.arange(4000, 4090), N)
    assert one(codes, "mcc").kind is ColumnKind.CATEGORY
    assert one(codes, "points").kind is ColumnKind.NUMBER


IDENTIFIERS = {
    "customer": ([f"C{i:09d}" for i in range(N)], "A1{9}"),
    "lengths": ([f"C{10 ** (i % 4 + 2) + i % 90}" for i in range(N)], "A1{3,6}"),
    "email": ([f"user{i}@example.org" for i in range(N)], "A{4}1{1,4}@A{7}.A{3}"),
    "hexadecimal": ([f"{i * 2654435761 % 2**32:08x}" for i in range(N)], "X{8}"),
    "address": ([f"10.9.{i % 250}.{i % 199}" for i in range(N)], "1{2}.1.1{1,3}.1{1,3}"),
    "card": ([str(4_000_000_000_000_000 + i % 700) for i in range(N)], "1{16}"),
    "card number": (pa.array([4_000_000_000_000_000 + i % 700 for i in range(N)]), "1{16}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_ids_have_a_shape_and_no_value(kind: str) -> None:
    cells, shape = IDENTIFIERS[kind]
    profile = one(cells)
    assert profile.kind is ColumnKind.IDENTIFIER
    assert profile.pattern == shape
    assert profile.categories == ()
    assert profile.quantiles == ()


def test_whole_numbers_are_ids_by_their_name_or_if_they_count_the_rows() -> None:
    numbers = RNG.integers(1, 900, N)
    assert one(numbers, "customer_id").kind is ColumnKind.IDENTIFIER
    assert one(numbers, "purchases").kind is ColumnKind.NUMBER
    assert one([str(i) for i in range(N)], "Unnamed: 0").kind is ColumnKind.IDENTIFIER
    assert one(np.arange(1, N + 1), "nr").kind is ColumnKind.IDENTIFIER


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("customer", [f"C{i % 7:06d}" for i in range(N)]),
        ("customer_id", [str(i % 12) for i in range(N)]),
        ("x", [4_111_111_111_111_111] * N),
        ("x", ["anna@example.org", "ben@example.org"] * 9),
    ],
)
def test_what_names_somebody_is_never_listed(name: str, cells: list[object]) -> None:
    profile = one(cells, name)
    assert profile.kind in (ColumnKind.IDENTIFIER, ColumnKind.CONSTANT)
    assert (profile.categories, profile.quantiles) == ((), ())
    assert profile.pattern


def test_addresses_and_names_of_people_are_texts() -> None:
    roads = ("Hill Road", "Elm", "North Lane at Sea", "5th of May Street")
    streets = [f"{i % 300} {roads[i % 4]}" for i in range(N)]
    assert one(streets, "street").kind is ColumnKind.TEXT
    assert one(streets, "product").kind is ColumnKind.CATEGORY
    assert one(["yes", "no"] * 99, "telephone").kind is ColumnKind.CATEGORY


PEOPLE = (
    *("Martin", "Bernard", "Dubois", "Robert", "Petit", "Durand", "Leroy", "Moreau", "Simon"),
    *("Laurent", "Roux"),
)


@pytest.mark.parametrize("name", ["last_name", "Nom", "beneficiary", "customer", "First Name"])
def test_a_few_people_are_not_listed(name: str) -> None:
    profile = one([PEOPLE[i % len(PEOPLE)] for i in range(N)], name)
    assert profile.kind in (ColumnKind.IDENTIFIER, ColumnKind.TEXT)
    assert profile.categories == ()
    kinds = one([("retail", "company")[i % 2] for i in range(N)], name)
    assert kinds.kind is ColumnKind.CATEGORY, "two words are no people"


@pytest.mark.parametrize(
    "name", ["ssn", "passport_number", "SIREN", "Passport No", "driver licence"]
)
def test_numbers_that_a_state_gives_are_ids(name: str) -> None:
    profile = one(RNG.integers(10**8, 10**9, N), name)
    assert (profile.kind, profile.quantiles) == (ColumnKind.IDENTIFIER, ())


def test_few_merchants_are_categories() -> None:
    assert one([f"M{i % 20:04d}" for i in range(N)], "merchant").kind is ColumnKind.CATEGORY


def test_texts_that_say_something_are_texts() -> None:
    words = [f"{chr(97 + i % 26)}lorem {'ipsum ' * (i % 5)}{chr(97 + i % 23)}{i}" for i in range(N)]
    profile = one(words, "remark")
    assert profile.kind is ColumnKind.TEXT
    assert (profile.categories, profile.pattern) == ((), "")


ISO = [t.isoformat() for t in TIMES]
WRITTEN_TIMES = {
    "iso": (ISO, "iso"),
    "iso without zone": ([text[:19] for text in ISO], "iso"),
    "day": ([text[:10] for text in ISO], "iso"),
    "european": ([t.strftime("%d/%m/%Y %H:%M:%S") for t in TIMES], "%d/%m/%Y %H:%M:%S"),
    "american": ([t.strftime("%m/%d/%Y") for t in TIMES], "%m/%d/%Y"),
    "named month": ([t.strftime("%d-%b-%Y") for t in TIMES], "%d-%b-%Y"),
    "timestamp": (pa.array(TIMES, pa.timestamp("us", tz="UTC")), "iso"),
    "timestamp without zone": (
        pa.array([t.replace(tzinfo=None) for t in TIMES], pa.timestamp("ns")),
        "iso",
    ),
    "date": (pa.array([t.date() for t in TIMES], pa.date32()), "iso"),
    "epoch": ([str(int(t.timestamp())) for t in TIMES], "epoch_s"),
}


@pytest.mark.parametrize("kind", WRITTEN_TIMES)
def test_times_are_told_by_their_format_and_when_they_lie(kind: str) -> None:
    cells, time_format = WRITTEN_TIMES[kind]
    profile = one(cells)
    assert profile.kind is ColumnKind.TIME
    assert profile.time_format == time_format
    assert datetime.fromtimestamp(profile.quantiles[0], UTC).date() == date(2024, 3, 1)
    assert profile.quantiles[-1] - profile.quantiles[0] > 38 * 86_400


def test_dates_of_birth_are_times() -> None:
    days = [f"{1925 + i % 80}-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(N)]
    profile = one(days, "dob")
    assert (profile.kind, profile.time_format) == (ColumnKind.TIME, "iso")
    assert profile.quantiles[0] < 0, "before 1970"


def test_milliseconds_since_1970_are_times_in_their_own_unit() -> None:
    profile = one(np.array([int(t.timestamp() * 1000) for t in TIMES]))
    assert (profile.kind, profile.time_format) == (ColumnKind.TIME, "epoch_ms")
    assert profile.quantiles[0] == pytest.approx(START.timestamp() * 1000, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "unit"), [("Time", "seconds"), ("step", "hours"), ("TX_TIME_DAYS", "days")]
)
def test_counts_since_an_unknown_start_are_told_by_their_name(name: str, unit: str) -> None:
    profile = one(SECONDS, name)
    assert (profile.kind, profile.time_format) == (ColumnKind.TIME, unit)
    assert one(SECONDS, "distance").kind is ColumnKind.NUMBER


def test_times_of_the_day_are_seconds_since_midnight() -> None:
    texts = [f"{s // 3600 % 24:02d}:{s // 60 % 60:02d}" for s in SECONDS.tolist()]
    profile = one(texts, "clock")
    assert (profile.kind, profile.time_format) == (ColumnKind.TIME, "%H:%M")
    assert 0 <= profile.quantiles[0] < profile.quantiles[-1] < 86_400
    assert one(pa.array([time(i % 24, i % 60) for i in range(N)])).time_format == "%H:%M:%S"


def test_ten_digit_numbers_spread_widely_are_no_times() -> None:
    phones = RNG.integers(800_000_000, 2_800_000_000, N)
    assert one(phones, "phone").kind is not ColumnKind.TIME


def test_one_value_in_every_row_is_constant() -> None:
    profile = one(["EUR"] * 40)
    assert (profile.kind, profile.distinct) == (ColumnKind.CONSTANT, 1)
    assert profile.categories == (("EUR", 1.0),)
    assert one([5.5] * 40).quantiles[10] == 5.5
    assert one(["EUR"] * 39 + [""]).kind is ColumnKind.CATEGORY


def test_a_column_without_a_value_is_empty() -> None:
    for cells in (pa.nulls(9), pa.array(["", " ", "NA"]), pa.array([np.nan] * 3), pa.array([])):
        profile = one(cells)
        assert profile.kind is ColumnKind.EMPTY
        assert (profile.filled, profile.distinct, profile.quantiles) == (0, 0, ())


def test_cells_that_have_no_text_are_filled_and_nothing_more() -> None:
    profile = one(pa.array([[1, 2], [3], None], pa.list_(pa.int64())))
    assert (profile.kind, profile.filled) == (ColumnKind.TEXT, 2)


def test_amounts_in_cents_are_told_by_their_name_or_values() -> None:
    cents = (AMOUNTS * 100).astype(np.int64)
    assert one(cents, "amount").scale == "minor"
    assert one(AMOUNTS, "amount_cents").scale == "minor"
    assert one(AMOUNTS, "amount").scale == ""
    assert one(cents, "credit_amount").scale == "", "loans are whole and large"
    yen = (AMOUNTS * 100).astype(np.int64) // 10 * 10
    assert one(yen, "amount").scale == ""


def test_infinite_and_huge_numbers_leave_finite_figures() -> None:
    profile = one([1e308, 1.5, float("inf"), -1e308, 2.5, 3.5] * 20)
    assert all(np.isfinite(profile.quantiles))
    assert np.isfinite(profile.mean)
    assert np.isfinite(profile.deviation)


def test_columns_keep_their_order_and_awkward_names() -> None:
    names = ["b", "", "A", "quorum.row", "é", "a b"]
    profiles = measure({name: pa.array(["1.5", "2.5"]) for name in names})
    assert [p.name for p in profiles] == names
    assert measure({}) == ()


@pytest.mark.parametrize("cut", [1, 7, 1_000])
def test_the_chunks_in_which_a_table_is_read_change_nothing(cut: int) -> None:
    table = pa.table(
        {
            "amount": [f"{v:.2f}" for v in AMOUNTS],
            "at": ISO,
            "who": [f"C{i % 500:05d}" for i in range(N)],
            "how": [("pos", "online")[i % 2] for i in range(N)],
        }
    )
    parts = Profiler()
    for start in range(0, N if cut > 1 else 50, cut):
        parts.add({n: table.slice(start, cut).column(n) for n in table.column_names})
    whole = table.slice(0, N if cut > 1 else 50)
    expected = measure({n: whole.column(n) for n in whole.column_names})
    assert parts.profiles() == expected


def test_a_large_table_is_sampled_but_its_counts_are_exact() -> None:
    profiler = Profiler()
    rng = np.random.default_rng(0)
    for part in range(30):
        value = rng.normal(part, 1, 2_000)
        flags = np.where(np.arange(2_000) < 100, None, "x")
        flags[-1] = "y"
        profiler.add({"value": pa.array(value), "flag": pa.array(flags.tolist())})
    value_of, flag_of = profiler.profiles()
    assert value_of.rows == 60_000
    assert value_of.quantiles[10] == pytest.approx(14.5, abs=0.5)
    assert value_of.quantiles[1] == pytest.approx(1.0, abs=0.7)
    assert flag_of.filled == 57_000
    assert dict(flag_of.categories) == {"x": round(56_970 / 57_000, 6), "y": round(30 / 57_000, 6)}


def test_columns_that_are_seldom_filled_are_told_by_what_they_hold() -> None:
    profiler = Profiler()
    for part in range(30):
        amounts, at = [""] * 2_000, [None] * 2_000
        amounts[part] = f"{part}.50"
        at[0] = "2024-05-01 10:00:00" if part == 7 else None  # type: ignore[call-overload]
        profiler.add({"fee": pa.array(amounts), "at": pa.array(at, pa.string())})
    fee, at_of = profiler.profiles()
    assert (fee.kind, fee.filled, fee.rows) == (ColumnKind.NUMBER, 30, 60_000)
    assert (at_of.kind, at_of.filled) == (ColumnKind.TIME, 1)


def test_numbers_in_groups_of_digits_are_read_like_others() -> None:
    values = AMOUNTS * 1_000
    plain, grouped = one([f"{v:.2f}" for v in values]), one([f"{v:,.2f}" for v in values])
    assert grouped.kind is ColumnKind.NUMBER
    assert near(grouped, plain.quantiles[10])


def test_a_chunk_with_other_columns_is_refused() -> None:
    profiler = Profiler()
    profiler.add({"a": pa.array([1])})
    with pytest.raises(ValueError, match="first chunk"):
        profiler.add({"b": pa.array([1])})


def test_a_profile_survives_its_document() -> None:
    profiles = measure({"a": pa.array(AMOUNTS), "b": pa.array(["x", "y"] * (N // 2)), "c": ISO_AT})
    for profile in profiles:
        assert ColumnProfile.from_document(profile.to_document()) == profile


ISO_AT = pa.array(ISO)
