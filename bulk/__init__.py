"""Bulk scoring: a file that nobody labelled, scored by the reference models that fit it.

    upload -> parts -> match -> scores of each model -> ensemble, anomaly, levels -> result, summary

A job's state is in PostgreSQL, its files in the job store. Every step can be repeated: a part is
written under a temporary name and renamed when it is whole. Independent of Ray and of HTTP;
`deployments/jobs/` runs it.
"""
