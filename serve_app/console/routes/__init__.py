"""The pages of the console: what each path answers."""

from __future__ import annotations

from typing import Final

from serve_app.console.routes import files, job, score, sign_in
from serve_app.console.visit import Page

PAGES: Final[tuple[Page, ...]] = (
    Page("GET", "/", score.home, is_private=False),
    Page("GET", "/sign-in", sign_in.ask, is_private=False),
    Page("POST", "/sign-in", sign_in.sign_in, is_private=False),
    Page("POST", "/sign-out", sign_in.sign_out),
    Page("GET", "/static/{name}", files.static, is_private=False),
    Page("GET", "/score", score.form),
    Page("POST", "/score", score.submit),
    Page("GET", "/score/{job_id}", job.show),
    Page("GET", "/score/{job_id}/progress", job.progress),
    Page("POST", "/score/{job_id}/confirm", job.confirm),
    Page("POST", "/score/{job_id}/cancel", job.cancel),
    Page("GET", "/score/{job_id}/result.csv", files.result_csv),
    Page("GET", "/score/{job_id}/result.parquet", files.result_parquet),
    Page("GET", "/score/{job_id}/errors.csv", files.errors_csv),
)
