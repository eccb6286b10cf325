"""The names of stages."""

from __future__ import annotations

from fraud import stage


def test_every_stage_is_documented():
    names = [
        *(stage.PARSE, stage.AUTH, stage.LIMIT, stage.WAIT, stage.FEATURES, stage.REDIS),
        *(stage.ASSEMBLE, stage.VOTES, stage.COMBINE, stage.EXPLAIN, stage.LOG),
        stage.REPLY,
    ]
    assert len(set(names)) == len(names)
    assert stage.__doc__ is not None
    for name in names:
        assert f"`{name}`" in stage.__doc__
