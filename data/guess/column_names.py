"""What the name of a column suggests about its meaning."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from data.guess.words import in_english, without_accents

_FIELDS: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "transaction_id": (
        (4, r"(transaction|trans|txn|tx|trx|payment|order|operation|transfer|purchase|event)"
            r"(_(id|no|nr|num|number|key|ref|reference|uuid|guid|code))"),
        (4, r"(loan|invoice|receipt|booking|beleg|auftrag|pedido|commande|application|record)"
            r"_?(id|no|nr|num|number|nummer|ref|key)"),
        (4, r"^(id|ref|number)_(transaction|operation|payment|order)$"),
        (2, r"^(id|uuid|guid|ref|reference|nr|no|number|rrn|arn|key|index|unnamed_0|transaction)$"),
    ),
    "customer_id": (
        (4, r"(customer|client|cardholder|payer|sender|originator|remitter|debtor|buyer|kunde"
            r"|kunden|cliente|member|subscriber|user|holder|shopper|consumer|borrower)"
            r"(_?(id|no|nr|num|number|key|hash|code|ref|uuid|account|acct|nummer))?$"),
        (4, r"^(from|source|src|orig|origin|payer|sender|debit)_(account|acct|card|wallet|node)"),
        (4, r"(^|_)(cc|card|pan|karte|tarjeta|carte)"
            r"(_?(id|no|nr|num|number|hash|token|key|ref))?$"),
        (3, r"(^|_)(name_)?(orig|from|source|src|payer|sender|debit_(account|acct))(_|$)"),
        (2, r"^(account|acct|konto|compte|cuenta|iban|wallet|msisdn|phone|email)"
            r"(_?(id|no|nr|num|number))?$"),
        (2, r"^card_?1$"),
        (1, r"(account|acct|customer|client|user)"),
    ),
    "counterparty_id": (
        (4, r"(counterparty|counter_party|payee|beneficiary|receiver|recipient|creditor)"),
        (4, r"^(to|target|dst|dest|destination|credit)_(account|acct|card|wallet|node)"),
        (3, r"(^|_)(name_)?(dest|destination|target|to|dst|credit_(account|acct))(_|$)"),
        (2, r"^(account|acct|bank)_1$"),
    ),
    "merchant_id": (
        (4, r"(merchant|shop|store|terminal|vendor|seller|retailer|acceptor|biller|haendler"
            r"|handler|comercio|commercant|supplier|outlet|restaurant)"
            r"(_?(id|no|nr|num|number|name|key|code|ref))?$"),
        (3, r"^(mid|tid|pos_id|pos|partner_id)$"),
    ),
    "merchant_category": (
        (4, r"(^|_)mcc(_|$)|merchant_(category|cat|type)|category_code"),
        (3, r"(^|_)(category|categoria|kategorie|categorie|naics|industry|purpose)(_|$)"),
    ),
    "device_id": (
        (4, r"(^|_)device(_?(id|hash|key|fingerprint|uuid))?$|fingerprint|imei|android_id"),
    ),
    "ip_address": ((4, r"(^|_)ip(_?(addr|address|v4|v6))?$"),),
    "country": ((4, r"(^|_)(country|land|pays|pais|nation)(_?(code|iso|iso2))?$"),),
    "currency": (
        (4, r"(^|_)(currency|ccy|curr|devise|moneda|waehrung|wahrung|valuta)(_?(code|iso))?$"),
    ),
    "channel": ((4, r"(^|_)(channel|kanal|canal)(_|$)"), (2, r"entry_mode|payment_method|medium")),
    "type": (
        (4, r"(transaction|trans|txn|tx|trx|payment|operation)_?(type|kind|art|code)$"),
        (3, r"^(type|kind|art|tipo|operation)$"),
    ),
    "latitude": ((4, r"(merch|merchant|shop|pos|terminal|tx)\w*_lat"), (3, r"(^|_)lat(itude)?$")),
    "longitude": (
        (4, r"(merch|merchant|shop|pos|terminal|tx)\w*_lon"),
        (3, r"(^|_)(lon|long|lng|longitude)$"),
    ),
    "amount": (
        (5, r"^((transaction|trans|txn|tx|trx|payment|order|purchase|transfer)_)?"
            r"(amount|amt|betrag|importe|montant|monto|valor|value|ammount)(_?(usd|eur|gbp|paid))?$"),
        (3, r"(amount|(^|_)amt(_|$)|amnt|betrag|importe|montant|monto|valor|disbursement)"),
        (2, r"^(value|total|price|sum|summe|gross|net|limit_bal|principal|paid|spent|debit)$"),
        (2, r"(^|_)(total|price|sum|value|gross)(_|$)"),
    ),
    "timestamp": (
        (5, r"^((transaction|trans|txn|tx|trx|payment|order|purchase|event|booking|transfer)_)*"
            r"(time|date|datetime|timestamp|ts|at|on|day)(_(time|date|utc|local))*$"),
        (4, r"(^|_)(paid|booked|created|posted|occurred|executed|authorized|purchased)"
            r"(_?(at|on|date|time|ts|ms|epoch|utc))?$"),
        (4, r"(zeitpunkt|zeit|datum|fecha|heure|hora|moment|timestamp|datetime|buchungstag)"),
        (2, r"(^|_)(time|date|day|ts|step|when)(_|$)|(date|time)$|^unix"),
    ),
}  # fmt: skip
"""Field -> (confidence, pattern of a normalised name), the highest confidence first."""

_OTHER_THINGS = re.compile(
    r"(^|_)(age|balance|bal|fee|tax|count|income|gender|sex|dob|birth|born|expiry|expire|expires"
    r"|since|city|zip|street|state|first|last|job|pop|limit_left|avg|mean|std|old|new|oldbalance\w*"
    r"|newbalance\w*|installment|tenure|duration|score|flag)(_|$)"
)
_LATER = re.compile(
    r"(charge_?back|dispute|charge_?off|chg_?off|recover|resol|closed|close_date|reported|report_"
    r"|investig|review|write_?off|collection|settle|refund|alert|blocked|confirmed|known_at"
    r"|new_?balance|balance_?(after|new)|paid_off|default_date|outcome)"
)
_LABEL: Final = (
    (6, r"^(is_?|tx_?|transaction_?|trans_?)?(fraud|fraudulent|laundering)"
        r"(_?(flag|label|ind|yn|bool|reported|status))?$"),
    (5, r"(^|_)(is_?fraud|fraud|fraudulent|chargeback|laundering|betrug|fraude|frd"
        r"|frauduleu(x|se))(_|$)"),
    (4, r"^(class|label|target|y|outcome|creditability|good_bad|bad|bad_flag|risk|response)$"),
    (4, r"(^|_)default(ed)?(_|$)|mis_status|loan_status"),
    (2, r"(^|_)(label|target|class|status|flag)(_|$)"),
)  # fmt: skip
_NO_LABEL = re.compile(
    r"flagged|predict|scenario|score|(^|_)(step|type|kind|model|rule|date|time|at)$"
)


@lru_cache(maxsize=100_000)
def normalised(name: str) -> str:
    """Return a name in lower case with underscores between its words.

    >>> normalised("nameOrig"), normalised("TX_DATETIME"), normalised("Customer ID")
    ('name_orig', 'tx_datetime', 'customer_id')
    """
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip())
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    return re.sub(r"[^a-z0-9]+", "_", without_accents(text.lower())).strip("_")


def confidence(field: str, name: str) -> int:
    """Return the confidence that a column of this name is the canonical field; 0: none.

    >>> confidence("amount", "TX_AMOUNT"), confidence("timestamp", "horodatage")
    (5, 5)
    """
    plain = normalised(name)
    if (points := _confidence(field, plain)) or any(map(str.isdigit, plain)):
        return points  # BILL_AMT1 is one of several amounts
    return _confidence(field, in_english(plain))


@lru_cache(maxsize=100_000)
def _confidence(field: str, plain: str) -> int:
    if field != "timestamp" and _OTHER_THINGS.search(plain) and not plain.startswith("limit"):
        return 0
    if field == "timestamp" and re.search(r"dob|birth|born|expir|since|zone", plain):
        return 0
    if _LATER.search(plain):
        return 0
    for points, pattern in _FIELDS[field]:
        if re.search(pattern, plain):
            return points
    return 0


def label_confidence(name: str) -> int:
    """Return the confidence that a column of this name is the label; 0: none."""
    plain = normalised(name)
    if _NO_LABEL.search(plain):
        return 0
    return next((points for points, pattern in _LABEL if re.search(pattern, plain)), 0)


def mentions_later_event(name: str) -> bool:
    """Return whether a name describes something that happens after a payment."""
    return _LATER.search(normalised(name)) is not None


def names_label_time(name: str) -> bool:
    """Return whether a name describes the time at which a label became known."""
    plain = normalised(name)
    later = re.search(r"known|charge_?back|reported|dispute|confirmed|chg_?off|charge_?off", plain)
    return later is not None and re.search(r"at$|date|time|_on$|day|known", plain) is not None
