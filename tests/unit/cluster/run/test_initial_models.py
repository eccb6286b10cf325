"""Which models a first start needs."""

from cluster.run.initial_models import variants_of


def test_variants_are_those_that_have_a_pool() -> None:
    applications = [{"name": "decisions", "args": {}}, {"args": {"variant": "logistic"}}, {}]
    assert variants_of({"applications": applications}) == {"logistic"}
