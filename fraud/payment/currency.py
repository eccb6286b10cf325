"""ISO 4217 currencies, past ones included, and their minor units."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

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

# Funds and units of account, which statements use. ISO 4217 has no minor unit for XDR, XSU and XUA;
# their users write hundredths.
_TWO_FUNDS = "BOV CHE CHW COU MXV USN XDR XSU XUA"
_ZERO_FUNDS = "UYI"

CURRENT: Final = MappingProxyType(
    {
        **dict.fromkeys(_TWO.split(), 2),
        **dict.fromkeys(_TWO_FUNDS.split(), 2),
        **dict.fromkeys(_ZERO.split(), 0),
        **dict.fromkeys(_ZERO_FUNDS.split(), 0),
        **dict.fromkeys(_THREE.split(), 3),
    }
)
"""Code of a current currency -> decimals of its minor unit."""

# Code, decimals, and the last month in which ISO 4217 lists it. Those withdrawn before 1980 are
# left out: no payment is that old (fraud.payment.limits).
_PAST_LINES = """
    ADP 0 2003-07  AFA 2 2003-01  ALK 2 1989-12  AOK 2 1991-03  AON 2 2000-02  AOR 2 2000-02
    ARA 2 1992-01  ARP 2 1985-07  ATS 2 2002-03  AYM 2 2005-10  AZM 2 2005-12  BAD 2 1998-07
    BEC 2 1990-03  BEF 0 2002-03  BEL 2 1990-03  BGJ 2 1990-11  BGK 2 1990-11  BGL 2 2003-11
    BOP 2 1987-02  BRB 2 1986-03  BRC 2 1989-02  BRE 2 1993-03  BRN 2 1990-03  BRR 2 1994-07
    BUK 2 1990-02  BYB 0 2001-01  BYR 0 2017-01  CHC 2 2004-11  CSD 2 2006-10  CSJ 2 1990-06
    CSK 2 1993-03  CUC 2 2021-06  CYP 2 2008-01  DDM 2 1990-09  DEM 2 2002-03  ECS 2 2000-09
    ECV 2 2000-09  EEK 2 2011-01  ESA 0 1981-12  ESB 0 1994-12  ESP 0 2002-03  FIM 2 2002-03
    FRF 2 2002-03  GEK 2 1995-10  GHC 2 2008-01  GHP 2 2007-06  GNE 0 1989-12  GNS 0 1986-02
    GQE 0 1986-06  GRD 0 2002-03  GWE 2 1981-12  GWP 2 1997-05  HRD 2 1995-01  HRK 2 2023-01
    IEP 2 2002-03  ILP 3 1981-12  ILR 2 1989-12  ISJ 2 1989-12  ITL 0 2002-03  LAJ 2 1989-12
    LSM 2 1985-05  LTL 2 2014-12  LTT 2 1993-07  LUC 0 1990-03  LUF 0 2002-03  LUL 0 1990-03
    LVL 2 2014-01  LVR 2 1994-12  MGF 0 2004-12  MLF 0 1984-11  MRO 2 2017-12  MTL 2 2008-01
    MTP 2 1983-06  MVQ 2 1989-12  MXP 2 1993-01  MZE 2 1981-12  MZM 2 2006-06  NIC 2 1990-10
    NLG 2 2002-03  PEH 2 1990-12  PEI 2 1991-07  PES 2 1986-02  PLZ 2 1997-01  PTE 0 2002-03
    RHD 2 1981-12  ROK 2 1990-12  ROL 2 2005-06  RUR 2 2004-01  SDD 2 2007-07  SDP 2 1998-06
    SIT 2 2007-01  SKK 2 2009-01  SLL 2 2023-12  SRG 2 2003-12  STD 2 2017-12  SUR 2 1990-12
    TJR 2 2001-04  TMM 2 2009-01  TPE 0 2002-11  TRL 0 2005-12  UAK 2 1996-09  UGS 2 1987-05
    UGW 2 1990-12  USS 2 2014-03  UYN 2 1989-12  UYP 2 1993-03  VEB 2 2008-01  VEF 2 2018-08
    VNC 2 1990-12  XEU 2 1999-01  YDD 3 1991-09  YUD 2 1990-01  YUM 2 2003-07  YUN 2 1995-11
    ZAL 2 1995-03  ZMK 2 2012-12  ZRN 2 1999-06  ZRZ 2 1994-02  ZWC 2 1989-12  ZWD 2 2008-08
    ZWL 2 2024-09  ZWN 2 2007-08  ZWR 2 2009-06
"""
_PAST = _PAST_LINES.split()


def _end_ms(month: str) -> int:
    """The end of a month `YYYY-MM`, milliseconds since 1970."""
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    after = (start + timedelta(days=31)).replace(day=1)
    return int(after.timestamp()) * 1000


UNTIL_MS: Final = MappingProxyType(
    {code: _end_ms(month) for code, month in zip(_PAST[0::3], _PAST[2::3], strict=True)}
)
"""Code of a past currency -> end of its last month, milliseconds since 1970, exclusive."""

EXPONENT: Final = MappingProxyType(
    {**CURRENT, **{code: int(n) for code, n in zip(_PAST[0::3], _PAST[1::3], strict=True)}}
)
"""Code of any currency, past or current -> decimals of its minor unit."""


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units.

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
    """Return an amount in currency units, exactly.

    >>> to_major(1234, "USD")
    Decimal('12.34')
    """
    return Decimal(amount_minor).scaleb(-EXPONENT[currency])


def hundredths(amount_minor: int, currency: str) -> int:
    """Return an amount in hundredths of a currency unit, whatever its minor unit; halves round up.

    >>> hundredths(1234, "USD"), hundredths(5, "JPY"), hundredths(1235, "KWD")
    (1234, 500, 124)
    """
    exponent = EXPONENT[currency]
    if exponent == 2:
        return amount_minor
    if exponent == 0:
        return amount_minor * 100
    return (amount_minor + 5) // 10
