"""The same table as another source would write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from loadtests.bench.offline.matching.part import Part

FRENCH = {
    "TRANSACTION_ID": "id_transaction", "TX_DATETIME": "horodatage", "CUSTOMER_ID": "client",
    "TERMINAL_ID": "terminal_commercant", "TX_AMOUNT": "montant",
    "TX_TIME_SECONDS": "temps_secondes", "TX_TIME_DAYS": "temps_jours",
    "trans_date_trans_time": "date_heure", "cc_num": "numero_carte", "merchant": "commerçant",
    "category": "catégorie", "amt": "montant", "first": "prénom", "last": "nom_de_famille",
    "gender": "sexe", "street": "rue", "city": "ville", "state": "état", "zip": "code_postal",
    "lat": "latitude", "long": "longitude", "city_pop": "population_ville", "job": "métier",
    "dob": "date_naissance", "trans_num": "numéro_transaction", "unix_time": "temps_unix",
    "merch_lat": "latitude_marchand", "merch_long": "longitude_marchand", "step": "étape",
    "type": "type_operation", "amount": "montant", "nameOrig": "compte_emetteur",
    "oldbalanceOrg": "ancien_solde_emetteur", "newbalanceOrig": "nouveau_solde_emetteur",
    "nameDest": "compte_beneficiaire", "oldbalanceDest": "ancien_solde_beneficiaire",
    "newbalanceDest": "nouveau_solde_beneficiaire", "sourceNodeId": "compte_source",
    "targetNodeId": "compte_destinataire", "value": "montant", "time": "heure",
    "Time": "temps", "Amount": "Montant", **{f"V{i}": f"composante_{i}" for i in range(1, 29)},
}  # fmt: skip
RENAMED = {
    "TRANSACTION_ID": "txn_ref", "TX_DATETIME": "event_timestamp", "CUSTOMER_ID": "cardholder_id",
    "TERMINAL_ID": "pos_terminal", "TX_AMOUNT": "purchase_amount", "TX_TIME_SECONDS": "elapsed_sec",
    "TX_TIME_DAYS": "day_index", "trans_date_trans_time": "posted_at", "cc_num": "card_number",
    "merchant": "merchant_name", "category": "merchant_category", "amt": "transaction_amount",
    "first": "first_name", "last": "last_name", "gender": "sex", "street": "address_line",
    "city": "town", "state": "region", "zip": "postcode", "lat": "home_latitude",
    "long": "home_longitude", "city_pop": "population", "job": "occupation", "dob": "birth_date",
    "trans_num": "transaction_id", "unix_time": "epoch", "merch_lat": "merchant_latitude",
    "merch_long": "merchant_longitude", "step": "hour_no", "type": "txn_type",
    "amount": "txn_amount", "nameOrig": "sender_account", "oldbalanceOrg": "sender_balance_before",
    "newbalanceOrig": "sender_balance_after", "nameDest": "receiver_account",
    "oldbalanceDest": "receiver_balance_before", "newbalanceDest": "receiver_balance_after",
    "sourceNodeId": "from_account", "targetNodeId": "to_account", "value": "amount",
    "time": "day", "Time": "seconds", "Amount": "amt", **{f"V{i}": f"pc_{i}" for i in range(1, 29)},
}  # fmt: skip
_AMOUNTS = ("TX_AMOUNT", "amt", "amount", "value", "Amount")
_OPTIONAL = ("TX_TIME_DAYS", "job", "street", "city_pop", "oldbalanceDest", "V23", "V25", "V28")


@dataclass(frozen=True)
class Variant:
    """A table as another source would write it.

    Attributes:
        change: what was changed.
        convert: conversions that the sender confirms.
    """

    change: str
    part: Part
    convert: dict[str, str] = field(default_factory=dict)


def variants(part: Part, rng: Generator) -> Iterator[Variant]:
    """Yield the variants of a part, itself first."""
    yield Variant("as it is", part)
    for change, make in _CHANGES.items():
        yield Variant(change, make(part, rng))
    amount = next(name for name in _AMOUNTS if name in part.table.column_names)
    yield Variant("cents, confirmed", _cents(part, amount), {amount: "minor-to-major"})


def _renamed(names: dict[str, str]) -> Callable[[Part, Generator], Part]:
    def rename(part: Part, _: Generator) -> Part:
        table = part.table
        return replace(
            part, table=table.rename_columns([names.get(n, n) for n in table.column_names])
        )

    return rename


def _shuffled(part: Part, rng: Generator) -> Part:
    return replace(part, table=part.table.select(rng.permutation(part.table.column_names).tolist()))


def _wider(part: Part, rng: Generator) -> Part:
    n = part.table.num_rows
    table = part.table.append_column("batch_no", pa.array(rng.integers(0, 9, n)))
    table = table.append_column("operator", pa.array(rng.choice(["anna", "ben", "carl"], n)))
    return replace(part, table=table.append_column("noise", pa.array(rng.normal(3, 9, n))))


def _narrower(part: Part, _: Generator) -> Part:
    dropped = [name for name in _OPTIONAL if name in part.table.column_names]
    return replace(part, table=part.table.drop_columns(dropped))


def _as_texts(part: Part, _: Generator) -> Part:
    columns = [pc.cast(column, pa.string()) for column in part.table.columns]
    return replace(part, table=pa.table(columns, part.table.column_names))


def _few_rows(part: Part, _: Generator) -> Part:
    return replace(part, table=part.table.slice(0, 600), label=part.label[:600])


def _cents(part: Part, name: str) -> Part:
    place = part.table.column_names.index(name)
    values = np.round(part.table.column(name).to_numpy() * 100).astype(np.int64)
    return replace(part, table=part.table.set_column(place, name, pa.array(values)))


_CHANGES: dict[str, Callable[[Part, Generator], Part]] = {
    "French names": _renamed(FRENCH),
    "other names": _renamed(RENAMED),
    "shuffled columns": _shuffled,
    "more columns": _wider,
    "fewer columns": _narrower,
    "texts": _as_texts,
    "600 rows": _few_rows,
}
