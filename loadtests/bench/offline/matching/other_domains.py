"""Tables about other things than fraud in payments, made by a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from loadtests.bench.offline.matching.part import Made, Part, made_parts


def other_tables(n: int, rng: Generator) -> Iterator[Part]:
    """Return tables of n rows about other things."""
    return made_parts(_MAKERS, n, rng)


def _days(
    n: int, rng: Generator, start: str = "2019-01-01", days: int = 700
) -> NDArray[np.datetime64]:
    offsets = np.sort(rng.integers(0, days * 86_400, n))
    return np.datetime64(start, "s") + offsets


def _lognormal(n: int, rng: Generator, mean: float, spread: float) -> NDArray[np.float64]:
    return np.round(rng.lognormal(np.log(mean), spread, n), 2)


def _words(n: int, rng: Generator, words: str) -> NDArray[np.generic]:
    return rng.choice(words.split(), n)


def _insurance(n: int, rng: Generator) -> Made:
    return {
        "policy_number": rng.integers(100_000, 999_999, n),
        "policy_bind_date": _days(n, rng, "1990-01-01", 9000).astype("datetime64[D]"),
        "policy_state": _words(n, rng, "OH IN IL"),
        "policy_deductable": rng.choice([500, 1000, 2000], n),
        "policy_annual_premium": _lognormal(n, rng, 1250, 0.2),
        "insured_age": rng.integers(19, 65, n),
        "insured_sex": _words(n, rng, "MALE FEMALE"),
        "insured_occupation": _words(n, rng, "craft-repair sales tech-support exec armed-forces"),
        "incident_date": _days(n, rng, "2015-01-01", 60).astype("datetime64[D]"),
        "incident_type": _words(n, rng, "collision theft parked single"),
        "incident_severity": _words(n, rng, "minor major total trivial"),
        "incident_hour_of_the_day": rng.integers(0, 24, n),
        "number_of_vehicles_involved": rng.integers(1, 5, n),
        "total_claim_amount": _lognormal(n, rng, 52_000, 0.6),
        "injury_claim": _lognormal(n, rng, 7400, 0.7),
        "vehicle_claim": _lognormal(n, rng, 37_000, 0.6),
        "auto_make": _words(n, rng, "Saab Dodge Suburu BMW Ford Audi"),
    }


def _health_claims(n: int, rng: Generator) -> Made:
    return {
        "claim_id": np.arange(n) + 70_000,
        "patient_id": rng.integers(1, n // 3, n),
        "provider_id": rng.integers(1, 400, n),
        "service_date": _days(n, rng).astype("datetime64[D]"),
        "diagnosis_code": _words(n, rng, "J20 I10 E11 M54 Z00 K21"),
        "procedure_code": rng.choice([99213, 99214, 71020, 80053], n),
        "claim_amount": _lognormal(n, rng, 220, 1.1),
        "paid_amount": _lognormal(n, rng, 160, 1.1),
        "length_of_stay": rng.poisson(1.2, n),
    }


def _churn(n: int, rng: Generator) -> Made:
    tenure = rng.integers(0, 73, n)
    monthly = np.round(rng.uniform(18, 119, n), 2)
    return {
        "customerID": [f"{i:04d}-ABCDE" for i in rng.permutation(n)],
        "gender": _words(n, rng, "Male Female"),
        "SeniorCitizen": rng.integers(0, 2, n),
        "Partner": _words(n, rng, "Yes No"),
        "tenure": tenure,
        "PhoneService": _words(n, rng, "Yes No"),
        "InternetService": _words(n, rng, "DSL Fiber No"),
        "Contract": _words(n, rng, "Monthly Yearly Two"),
        "PaperlessBilling": _words(n, rng, "Yes No"),
        "PaymentMethod": _words(n, rng, "Check Mailed Bank Card"),
        "MonthlyCharges": monthly,
        "TotalCharges": np.round(monthly * tenure, 2),
    }


def _house_prices(n: int, rng: Generator) -> Made:
    return {
        "Id": np.arange(n),
        "MSZoning": _words(n, rng, "RL RM FV RH"),
        "LotArea": rng.integers(1300, 60_000, n),
        "YearBuilt": rng.integers(1900, 2010, n),
        "OverallQual": rng.integers(1, 11, n),
        "GrLivArea": rng.integers(400, 4000, n),
        "GarageCars": rng.integers(0, 4, n),
        "YrSold": rng.integers(2006, 2011, n),
        "SaleType": _words(n, rng, "WD New COD"),
        "SalePrice": rng.integers(40_000, 700_000, n),
    }


def _employees(n: int, rng: Generator) -> Made:
    return {
        "EmployeeNumber": np.arange(n) + 1,
        "Age": rng.integers(18, 61, n),
        "Department": _words(n, rng, "Sales Research Human"),
        "JobRole": _words(n, rng, "Executive Scientist Technician Manager"),
        "HireDate": _days(n, rng, "2001-01-01", 7000).astype("datetime64[D]"),
        "MonthlyIncome": rng.integers(1000, 20_000, n),
        "YearsAtCompany": rng.integers(0, 40, n),
        "OverTime": _words(n, rng, "Yes No"),
        "PerformanceRating": rng.integers(1, 5, n),
    }


def _sensors(n: int, rng: Generator) -> Made:
    return {
        "timestamp": np.datetime64("2023-01-01", "s") + np.arange(n) * 60,
        "device_id": rng.integers(1, 30, n),
        "temperature": np.round(20 + 5 * np.sin(np.arange(n) / 300) + rng.normal(0, 1, n), 2),
        "humidity": np.round(rng.normal(55, 8, n), 1),
        "pressure": np.round(rng.normal(1013, 6, n), 1),
        "value": np.round(rng.normal(0, 1, n), 3),
        "status": _words(n, rng, "OK WARN"),
    }


def _meters(n: int, rng: Generator) -> Made:
    return {
        "customer_id": np.tile(np.arange(200), n // 200 + 1)[:n],
        "timestamp": np.repeat(
            np.datetime64("2023-01-01", "s") + np.arange(n // 200 + 1) * 1800, 200
        )[:n],
        "kwh": np.round(rng.gamma(2, 0.2, n), 3),
        "voltage": np.round(rng.normal(230, 2, n), 1),
        "tariff": _words(n, rng, "peak off"),
    }


def _readings(n: int, rng: Generator) -> Made:
    return {
        "customer_id": rng.integers(1, 200, n),
        "device_id": rng.integers(1, 250, n),
        "timestamp": _days(n, rng, "2023-01-01", 30),
        "value": np.round(rng.gamma(2, 0.2, n), 3),
        "unit": _words(n, rng, "kWh m3"),
    }


def _member_claims(n: int, rng: Generator) -> Made:
    return {
        "claim_number": np.arange(n),
        "member_id": rng.integers(1, n // 6, n),
        "claim_date": _days(n, rng).astype("datetime64[D]"),
        "claim_amount": _lognormal(n, rng, 300, 1.1),
        "channel": _words(n, rng, "online phone mail"),
        "country": _words(n, rng, "FR DE ES"),
        "policy_type": _words(n, rng, "auto home travel"),
    }


def _clicks(n: int, rng: Generator) -> Made:
    return {
        "event_time": _days(n, rng, "2019-10-01", 30),
        "event_type": _words(n, rng, "view cart purchase"),
        "product_id": rng.integers(1, 900, n),
        "category_code": _words(n, rng, "phone audio tv shoes"),
        "brand": _words(n, rng, "sony apple lg"),
        "price": _lognormal(n, rng, 120, 1.0),
        "user_id": rng.integers(1, n // 10, n),
        "user_session": rng.integers(1, n // 4, n),
    }


def _taxis(n: int, rng: Generator) -> Made:
    return {
        "VendorID": rng.integers(1, 3, n),
        "tpep_pickup_datetime": _days(n, rng, "2023-01-01", 30),
        "passenger_count": rng.integers(1, 6, n),
        "trip_distance": _lognormal(n, rng, 2.5, 0.8),
        "PULocationID": rng.integers(1, 265, n),
        "DOLocationID": rng.integers(1, 265, n),
        "payment_type": rng.integers(1, 5, n),
        "fare_amount": _lognormal(n, rng, 12, 0.5),
        "tip_amount": _lognormal(n, rng, 2, 0.5),
        "total_amount": _lognormal(n, rng, 17, 0.5),
    }


def _web_log(n: int, rng: Generator) -> Made:
    return {
        "time": _days(n, rng, "2024-02-01", 5),
        "client_ip": [f"10.{a}.{b}.{c}" for a, b, c in rng.integers(0, 255, (n, 3))],
        "user_id": rng.integers(1, n // 20, n),
        "method": _words(n, rng, "GET POST PUT"),
        "url": [f"/page/{i}" for i in rng.integers(0, 500, n)],
        "status": rng.choice([200, 301, 404, 500], n),
        "bytes": rng.integers(200, 90_000, n),
        "response_time_ms": _lognormal(n, rng, 40, 1.0),
        "user_agent": _words(n, rng, "Chrome Firefox Safari bot"),
    }


def _rides(n: int, rng: Generator) -> Made:
    start = _days(n, rng, "2016-01-01", 180)
    return {
        "ride_id": [f"R{i:08d}" for i in range(n)],
        "started_at": start,
        "ended_at": start + rng.integers(60, 4000, n),
        "start_station_id": rng.integers(1, 300, n),
        "end_station_id": rng.integers(1, 300, n),
        "passenger_count": rng.integers(1, 6, n),
        "trip_distance": _lognormal(n, rng, 2.5, 0.8),
        "fare": _lognormal(n, rng, 12, 0.5),
    }


def _loans(n: int, rng: Generator) -> Made:
    return {
        "loan_id": np.arange(n) + 1_000_000,
        "member_id": rng.permutation(n) + 5000,
        "loan_amnt": rng.integers(10, 400, n) * 100,
        "term": _words(n, rng, "36 60"),
        "int_rate": np.round(rng.uniform(5, 28, n), 2),
        "installment": _lognormal(n, rng, 380, 0.6),
        "grade": _words(n, rng, "A B C D E F"),
        "emp_length": rng.integers(0, 11, n),
        "home_ownership": _words(n, rng, "RENT OWN MORTGAGE"),
        "annual_inc": _lognormal(n, rng, 65_000, 0.5),
        "issue_d": _days(n, rng, "2012-01-01", 2000).astype("datetime64[D]"),
        "purpose": _words(n, rng, "car credit_card house medical"),
        "dti": np.round(rng.uniform(0, 35, n), 2),
        "revol_bal": _lognormal(n, rng, 11_000, 0.9),
    }


def _anonymous(n: int, rng: Generator) -> Made:
    mixed = rng.normal(0, 1, (28, 28)) / 5
    values = rng.normal(0, 1, (n, 28)) @ mixed
    made: Made = {f"V{i + 1}": values[:, i] for i in range(28)}
    return {"Time": np.arange(n) * 1.0, **made, "Amount": _lognormal(n, rng, 900, 0.4)}


def _standard_normal(n: int, rng: Generator) -> Made:
    return {f"feature_{i}": rng.normal(0, 1, n) for i in range(30)}


def _gibberish(n: int, rng: Generator) -> Made:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    return {
        "".join(rng.choice(letters, 6)): ["".join(rng.choice(letters, 9)) for _ in range(n)]
        if i % 3 == 0
        else rng.uniform(-1e5, 1e5, n) ** (1 + i % 2)
        for i in range(12)
    }


def _texts(n: int, rng: Generator) -> Made:
    words = "the fox jumps over lazy dogs while rain falls on green hills of another country"
    return {"id": np.arange(n), "text": [" ".join(_words(12, rng, words)) for _ in range(n)]}


def _flowers(n: int, rng: Generator) -> Made:
    return {
        "sepal_length": np.round(rng.normal(5.8, 0.8, n), 1),
        "sepal_width": np.round(rng.normal(3.0, 0.4, n), 1),
        "petal_length": np.round(rng.normal(3.7, 1.7, n), 1),
        "petal_width": np.round(rng.normal(1.2, 0.7, n), 1),
    }


def _patients(n: int, rng: Generator) -> Made:
    return {
        "age": rng.integers(29, 78, n), "sex": rng.integers(0, 2, n), "cp": rng.integers(0, 4, n),
        "trestbps": rng.integers(94, 200, n), "chol": rng.integers(126, 560, n),
        "fbs": rng.integers(0, 2, n), "thalach": rng.integers(71, 202, n),
        "oldpeak": np.round(rng.gamma(1, 1, n), 1), "ca": rng.integers(0, 4, n),
    }  # fmt: skip


def _calls(n: int, rng: Generator) -> Made:
    return {
        "caller_id": rng.integers(1, n // 30, n),
        "receiver_id": rng.integers(1, n // 30, n),
        "start_time": _days(n, rng, "2022-03-01", 30),
        "duration_s": rng.integers(1, 3000, n),
        "cell_id": rng.integers(1, 900, n),
        "call_type": _words(n, rng, "voice sms data"),
    }


def _stocks(n: int, rng: Generator) -> Made:
    price = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    return {
        "date": _days(n, rng, "2000-01-03", 7000).astype("datetime64[D]"),
        "open": price, "high": price * 1.01, "low": price * 0.99, "close": price * 1.002,
        "volume": rng.integers(10_000, 9_000_000, n), "ticker": _words(n, rng, "AAA BBB CCC"),
    }  # fmt: skip


def _marketing(n: int, rng: Generator) -> Made:
    return {
        "age": rng.integers(18, 90, n),
        "job": _words(n, rng, "admin technician services management retired"),
        "marital": _words(n, rng, "married single divorced"),
        "balance": rng.integers(-2000, 20_000, n),
        "housing": _words(n, rng, "yes no"),
        "loan": _words(n, rng, "yes no"),
        "contact": _words(n, rng, "cellular telephone unknown"),
        "day": rng.integers(1, 32, n),
        "month": _words(n, rng, "may jun jul aug"),
        "duration": rng.integers(0, 3000, n),
        "campaign": rng.integers(1, 30, n),
        "pdays": rng.integers(-1, 400, n),
    }


_MAKERS: dict[str, Callable[[int, Generator], Made]] = {
    "insurance-claims": _insurance,
    "health-claims": _health_claims,
    "telecom-churn": _churn,
    "house-prices": _house_prices,
    "employees": _employees,
    "sensors": _sensors,
    "meters": _meters,
    "readings": _readings,
    "member-claims": _member_claims,
    "clicks": _clicks,
    "taxis": _taxis,
    "web-log": _web_log,
    "rides": _rides,
    "loans": _loans,
    "anonymous-v": _anonymous,
    "standard-normal": _standard_normal,
    "gibberish": _gibberish,
    "texts": _texts,
    "flowers": _flowers,
    "patients": _patients,
    "calls": _calls,
    "stocks": _stocks,
    "marketing": _marketing,
}
