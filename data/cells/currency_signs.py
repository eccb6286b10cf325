"""Signs and codes of currencies beside a number, and which currencies they may mean."""

from __future__ import annotations

import re
from typing import Final

from fraud.payment.currency import EXPONENT

_DOLLARS = (
    "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD"
    " MXN ARS CLP COP CUP CUC DOP UYU BRL CVE NIO TOP WST ZWD ZWL"
)
_SIGNS: Final = {
    "€": "EUR", "£": "GBP EGP LBP SYP SDG SSP FKP GIP SHP IEP CYP ITL", "¥": "JPY CNY",
    "￥": "JPY CNY", "₹": "INR", "₩": "KRW KPW", "₽": "RUB", "₺": "TRY", "₫": "VND", "₴": "UAH",
    "₪": "ILS", "฿": "THB", "₱": "PHP CUP", "₦": "NGN", "₵": "GHS", "₡": "CRC SVC", "₲": "PYG",
    "₸": "KZT", "₮": "MNT", "₾": "GEL", "₼": "AZN", "₭": "LAK", "৳": "BDT", "$": _DOLLARS,
    "US$": "USD", "R$": "BRL", "A$": "AUD", "AU$": "AUD", "C$": "CAD NIO", "CA$": "CAD",
    "HK$": "HKD", "NZ$": "NZD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "zł": "PLN",
    "kr": "SEK NOK DKK ISK", "kr.": "DKK SEK NOK ISK", "Kč": "CZK", "Ft": "HUF", "lei": "RON MDL",
    "Rs": "INR PKR LKR NPR MUR SCR", "Rs.": "INR PKR LKR NPR MUR SCR", "Fr.": "CHF", "DM": "DEM",
    "kn": "HRK", "RM": "MYR", "Rp": "IDR", "лв": "BGN", "R": "ZAR",
}  # fmt: skip

MEANT: Final = {sign: frozenset(codes.split()) for sign, codes in _SIGNS.items()} | {
    code: frozenset({code}) for code in EXPONENT
}
"""Sign or code -> the currencies that it may mean."""

_ANY = "|".join(re.escape(sign) for sign in sorted(MEANT, key=len, reverse=True))
_BEFORE = re.compile(rf"({_ANY})(?=[\s\d(.,+-])")
_AFTER = re.compile(rf"(?<=[\s\d).,-])({_ANY})$")


def without_sign(text: str) -> tuple[str, str | None]:
    """Return a trimmed text without the currency sign at one of its ends, and that sign.

    >>> without_sign("$1,234.50"), without_sign("12 EUR"), without_sign("12")
    (('1,234.50', '$'), ('12', 'EUR'), ('12', None))
    """
    if found := _BEFORE.match(text):
        return text[found.end() :].lstrip(), found[1]
    if found := _AFTER.search(text):
        return text[: found.start()].rstrip(), found[1]
    return text, None
