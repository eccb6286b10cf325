"""Scores of a job: models, anomaly, ensemble, recalibration to the file, levels, summary.

    parts --replay_file--> scores of history --score_part--> one npz a part --finish--> result

Every step takes paths and a plan that is JSON, so that it may run in any process of the machine,
and may be repeated: what is written is renamed when it is whole.
"""
