"""Examples of jobs for the API reference."""

from __future__ import annotations

from typing import Any, Final

from serve_app.http.wire.examples import PROBLEM

JOB_ID: Final = "019caa6a-f000-7c11-9d0e-3f1f6c2b8a55"
MATCH: Final[dict[str, Any]] = {
    "models": [
        {
            "reference": "cards@9c1f02ab77de",
            "similarity": 0.91,
            "coverage": 0.97,
            "closeness": 0.938,
            "domain_auc": 0.61,
            "columns": [
                {
                    "column": "amount",
                    "file_column": "montant",
                    "score": 0.95,
                    "name_score": 0.9,
                    "distribution_score": 0.98,
                    "importance": 0.31,
                    "required": True,
                    "note": "a known translation",
                    "proposed": None,
                    "applied": None,
                }
            ],
            "unused": ["commentaire"],
            "reasons": [],
            "weight": 1.0,
            "forced": False,
        }
    ],
    "chosen": ["cards@9c1f02ab77de"],
    "reasons": [],
    "rows": 20_000,
    "notes": [],
}
OPTIONS: Final[dict[str, Any]] = {
    "models": 3,
    "model": [],
    "columns": {},
    "convert": {},
    "ignore": ["fraude"],
    "high": 0.5,
    "medium": 0.1,
    "review": None,
    "recalibrate": "auto",
    "confirm": True,
    "format": "csv",
    "dialect": {},
}
JOB: Final[dict[str, Any]] = {
    "job_id": JOB_ID,
    "state": "scoring",
    "file_name": "payments-march.csv",
    "source": "upload",
    "bytes": 184_320_512,
    "options": OPTIONS,
    "rows_total": 1_000_000,
    "rows_done": 250_000,
    "rows_failed": 2,
    "progress": 0.25,
    "rows_per_s": 12_500.0,
    "seconds_left": 60.0,
    "to_confirm": [],
    "match": MATCH,
    "problem": None,
    "cancelling": False,
    "created_at": "2026-03-01T12:00:00Z",
    "started_at": "2026-03-01T12:00:01Z",
    "finished_at": None,
    "expires_at": "2026-03-08T12:00:00Z",
}
QUEUED: Final[dict[str, Any]] = {
    **JOB,
    "state": "queued",
    "rows_total": None,
    "rows_done": 0,
    "rows_failed": 0,
    "progress": None,
    "rows_per_s": None,
    "seconds_left": None,
    "started_at": None,
}
LISTED: Final[dict[str, Any]] = {**JOB, "match": None}
MATCHED: Final[dict[str, Any]] = {
    "file_name": "payments-march.csv",
    "bytes": 184_320_512,
    "to_confirm": [],
    "match": MATCH,
}
SUMMARY: Final[dict[str, Any]] = {
    "job_id": JOB_ID,
    "stats": {
        "total": 999_998,
        "scored": 999_998,
        "frauds": 1_730,
        "fraud_rate": 0.00173,
        "high_risk": 1_730,
        "medium_risk": 6_412,
        "low_risk": 991_856,
    },
    "methods_used": ["supervised", "isolation-forest"],
    "best_model": "cards@9c1f02ab77de",
    "similarity_score": 0.91,
    "download_url": f"/v1/jobs/{JOB_ID}/result",
    "errors_url": f"/v1/jobs/{JOB_ID}/errors.csv",
    "details": {"levels": {"high": 1_730, "medium": 6_412, "low": 991_856, "unscored": 0}},
}
REFUSED: Final[dict[str, Any]] = {
    **{name: value for name, value in PROBLEM.items() if name != "errors"},
    "type": "urn:quorum:problem:match-refused",
    "title": "No reference model fits the file",
    "detail": "The required column `amount` has no counterpart in the file.",
    "match": {
        **MATCH,
        "models": [
            {
                **MATCH["models"][0],
                "similarity": 0.28,
                "coverage": 0.3,
                "columns": [
                    {
                        **MATCH["models"][0]["columns"][0],
                        "file_column": None,
                        "score": 0.0,
                        "name_score": 0.0,
                        "distribution_score": 0.0,
                        "note": "",
                    }
                ],
                "weight": 0.0,
                "reasons": [
                    {
                        "code": "column-missing",
                        "detail": "The required column `amount` has no counterpart in the file.",
                        "column": "amount",
                        "needed": "a column of amounts, named in the option `columns`",
                    }
                ],
            }
        ],
        "chosen": [],
    },
}
