"""Payments as sources write them that no reference learnt from, made by a seed. Models of history
carry over to them, so they must be accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from loadtests.bench.offline.matching.part import Made, Part, made_parts


def stranger_tables(n: int, rng: Generator) -> Iterator[Part]:
    """Return tables of n payments."""
    return made_parts(_MAKERS, n, rng)


def _times(n: int, rng: Generator, days: int = 60) -> NDArray[np.datetime64]:
    return np.datetime64("2023-05-01", "s") + np.sort(rng.integers(0, days * 86_400, n))


def _amounts(n: int, rng: Generator, mean: float) -> NDArray[np.float64]:
    return np.round(rng.lognormal(np.log(mean), 1.1, n), 2)


def _ids(n: int, rng: Generator, form: str, most: int) -> list[str]:
    return [form.format(i) for i in rng.integers(1, most, n)]


def _french_cards(n: int, rng: Generator) -> Made:
    return {
        "id_transaction": np.arange(n),
        "horodatage": np.datetime_as_string(_times(n, rng)),
        "numero_carte": _ids(n, rng, "4970{:012d}", n // 15),
        "commercant": _ids(n, rng, "COM{:05d}", 400),
        "rubrique": rng.choice(["essence", "courses", "voyage", "restaurant"], n),
        "montant": _amounts(n, rng, 38),
        "devise": rng.choice(["EUR", "EUR", "EUR", "USD"], n),
        "pays": rng.choice(["FR", "BE", "US"], n),
    }


def _german_cards(n: int, rng: Generator) -> Made:
    return {
        "Buchungszeitpunkt": np.datetime_as_string(_times(n, rng)),
        "Kundennummer": rng.integers(10_000, 10_000 + n // 20, n),
        "Haendler": _ids(n, rng, "H{:04d}", 300),
        "Betrag": _amounts(n, rng, 45),
        "Waehrung": ["EUR"] * n,
    }


def _bank_sim(n: int, rng: Generator) -> Made:
    return {
        "step": np.sort(rng.integers(0, 180, n)),
        "customer": _ids(n, rng, "'C{:010d}'", n // 40),
        "age": rng.choice(["'1'", "'2'", "'3'", "'4'"], n),
        "gender": rng.choice(["'M'", "'F'"], n),
        "zipcodeOri": ["'28007'"] * n,
        "merchant": _ids(n, rng, "'M{:010d}'", 50),
        "zipMerchant": ["'28007'"] * n,
        "category": rng.choice(["'es_transportation'", "'es_food'", "'es_health'"], n),
        "amount": _amounts(n, rng, 27),
    }


def _wide_shop(n: int, rng: Generator) -> Made:
    made: Made = {
        "TransactionID": np.arange(n) + 2_987_000,
        "TransactionDT": 86_400 + np.sort(rng.integers(0, 15_000_000, n)),
        "TransactionAmt": _amounts(n, rng, 70),
        "ProductCD": rng.choice(list("WCRHS"), n),
        "card1": rng.integers(1000, 1000 + n // 20, n),
        "card2": rng.choice([100.0, 321.0, 555.0], n),
        "card4": rng.choice(["visa", "mastercard", "discover"], n),
        "addr1": rng.choice([204.0, 299.0, 325.0], n),
        "P_emaildomain": rng.choice(["gmail.com", "yahoo.com"], n),
        "DeviceType": rng.choice(["desktop", "mobile"], n),
    }
    return made | {f"C{i}": rng.poisson(2, n) for i in range(1, 15)} | {
        f"V{i}": rng.choice([0.0, 1.0], n) for i in range(1, 20)
    }  # fmt: skip


def _web_shop(n: int, rng: Generator) -> Made:
    return {
        "order_id": np.arange(n) + 1,
        "user_id": rng.integers(1, n // 8, n),
        "purchase_time": np.datetime_as_string(_times(n, rng)),
        "purchase_value": rng.integers(9, 150, n),
        "device_id": _ids(n, rng, "DEV{:08d}", n // 9),
        "source": rng.choice(["SEO", "Ads", "Direct"], n),
        "browser": rng.choice(["Chrome", "Safari", "IE"], n),
        "ip_address": [f"10.{a}.{b}.{c}" for a, b, c in rng.integers(0, 255, (n, 3))],
    }


def _bank_transfers(n: int, rng: Generator) -> Made:
    return {
        "Timestamp": np.datetime_as_string(_times(n, rng, 18)),
        "From Bank": rng.integers(1, 300, n),
        "From Account": _ids(n, rng, "80{:06X}0", n // 10),
        "To Bank": rng.integers(1, 300, n),
        "To Account": _ids(n, rng, "81{:06X}0", n // 10),
        "Amount Paid": _amounts(n, rng, 1400),
        "Payment Currency": rng.choice(["US Dollar", "Euro", "Yuan"], n),
        "Payment Format": rng.choice(["Cheque", "ACH", "Wire"], n),
    }


def _split_clock(n: int, rng: Generator) -> Made:
    times = _times(n, rng)
    return {
        "User": rng.integers(0, n // 30, n),
        "Card": rng.integers(0, 4, n),
        "Date": np.datetime_as_string(times.astype("datetime64[D]")),
        "Time": [text[11:16] for text in np.datetime_as_string(times)],
        "Amount": [f"${a}" for a in _amounts(n, rng, 35)],
        "Use Chip": rng.choice(["Swipe Transaction", "Chip Transaction"], n),
        "Merchant Name": rng.integers(-(10**15), 10**15, n),
        "Merchant City": rng.choice(["La Verne", "Monterey Park"], n),
        "MCC": rng.choice([5300, 5411, 5651], n),
    }


def _epoch_wallets(n: int, rng: Generator) -> Made:
    return {
        "txn_id": np.arange(n),
        "created_ms": 1_690_000_000_000 + np.sort(rng.integers(0, 5_000_000_000, n)),
        "sender_wallet": _ids(n, rng, "w{:06d}", n // 12),
        "receiver_wallet": _ids(n, rng, "w{:06d}", n // 12),
        "amt": _amounts(n, rng, 20),
        "channel": rng.choice(["app", "web", "ussd"], n),
    }


def _spanish_cards(n: int, rng: Generator) -> Made:
    return {
        "fecha": np.datetime_as_string(_times(n, rng)),
        "id_cliente": rng.integers(1, n // 25, n),
        "comercio": _ids(n, rng, "T-{:04d}", 200),
        "importe": _amounts(n, rng, 52),
        "moneda": ["EUR"] * n,
        "tipo_operacion": rng.choice(["compra", "retirada"], n),
    }


_MAKERS: dict[str, Callable[[int, Generator], Made]] = {
    "french-cards": _french_cards,
    "german-cards": _german_cards,
    "bank-sim": _bank_sim,
    "wide-shop": _wide_shop,
    "web-shop": _web_shop,
    "bank-transfers": _bank_transfers,
    "split-clock": _split_clock,
    "epoch-wallets": _epoch_wallets,
    "spanish-cards": _spanish_cards,
}
