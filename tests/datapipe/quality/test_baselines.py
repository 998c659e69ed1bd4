"""What telling sources apart reaches by itself, which a classifier must beat."""

from __future__ import annotations

from datapipe.quality.baselines import Sample, source_only


def test_a_collection_that_both_sides_know_shows_in_the_source_only_baseline() -> None:
    def own(positive: bool, host: str, count: int) -> list[Sample]:
        return [Sample(positive, f"{host}{n}", host, "Book", 100, ["a b c"]) for n in range(count)]

    training = [*own(True, "file:x", 20), *own(False, "a.test", 20)]
    assert source_only(training, [*own(True, "file:x", 10), *own(False, "b.test", 10)]) == 1.0
    assert source_only(training, [*own(True, "file:y", 10), *own(False, "b.test", 10)]) == 0.5
