"""ISO 4217 currencies and their minor units."""

from __future__ import annotations

from decimal import Decimal

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

EXPONENT: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
}
"""Currency code -> number of decimals of its minor unit."""


def to_minor(amount: Decimal, currency: str) -> int:
    """Amount in minor units.

    Raises:
        ValueError: more decimals than the currency has.

    >>> to_minor(Decimal("12.34"), "USD"), to_minor(Decimal("500"), "JPY")
    (1234, 500)
    """
    scaled = amount.scaleb(EXPONENT[currency])
    minor = int(scaled)
    if minor != scaled:
        raise ValueError(f"more decimals than {currency} has")
    return minor


def to_major(amount_minor: int, currency: str) -> Decimal:
    """Amount in currency units, exact.

    >>> to_major(1234, "USD")
    Decimal('12.34')
    """
    return Decimal(amount_minor).scaleb(-EXPONENT[currency])


def hundredths(amount_minor: int, currency: str) -> int:
    """Amount in hundredths of a currency unit, whatever its minor unit is; halves round up.

    >>> hundredths(1234, "USD"), hundredths(5, "JPY"), hundredths(1235, "KWD")
    (1234, 500, 124)
    """
    exponent = EXPONENT[currency]
    if exponent == 2:
        return amount_minor
    if exponent == 0:
        return amount_minor * 100
    return (amount_minor + 5) // 10
