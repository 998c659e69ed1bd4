"""Verdicts from measures: the first broken bound in order, whatever batch a document comes in."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datapipe.config import Bound
from datapipe.document import Verdict
from datapipe.rules.judge import first_broken, judge, measure, remove_lines
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, bounds

AWKWARD = ["", " ", "\n\n", "a", "。", "|", "| |", "{", "12", "\u200b", "\ufffd", "我", "A" * 3000, "- \n- \n", "…"]
AWKWARD += ["\U0001f600 \ue000", "\u0301", "\r\n", "@", "1.1.1.1"]


def test_the_first_broken_bound_in_order_is_the_verdict() -> None:
    measures = {"a": np.array([1.0, 5.0, 1.0]), "b": np.array([0.0, 0.0, 9.0])}
    verdicts = first_broken(measures, {"b": Bound(max=8), "a": Bound(max=4)})
    assert verdicts == [None, Verdict("a", 5.0, 4.0), Verdict("b", 9.0, 8.0)]


@pytest.mark.parametrize("name", [*PAGE_RULES, *LINE_RULES])
def test_every_measure_is_a_finite_number_for_any_text(name: str) -> None:
    view = TextView.of(AWKWARD)
    table, units = (PAGE_RULES, len(view)) if name in PAGE_RULES else (LINE_RULES, len(view.lines))
    values = table[name].measure(view)
    assert values.shape == (units,)
    assert values.dtype == np.float64
    assert (values >= 0).all()
    assert np.isfinite(values).all() or name == "c4.line_words"


@given(st.integers(0, 1000))
def test_neither_the_order_nor_the_batch_changes_a_verdict(seed: int) -> None:
    rng = random.Random(seed)
    lines = [line for line in (ENGLISH + CHINESE).split("\n") if line] + ["Read more", "- x", "12 likes", "|  |"]
    texts = ["\n".join(rng.choices(lines, k=rng.randint(1, 12))) for _ in range(5)]
    entry = bounds().of("WebText", rng.choice(["en", "zh", "fr"]))

    def judged(batch: list[str]) -> list[tuple[str, Verdict | None]]:
        view, _ = remove_lines(TextView.of(batch), entry.lines)
        return [(view.text(place), verdict) for place, verdict in enumerate(judge(view, entry.pages))]

    together = judged(texts)
    assert together == [judged([text])[0] for text in texts]
    assert together == judged(texts[::-1])[::-1]


def test_measures_can_be_judged_again_without_the_text() -> None:
    entry = bounds().of("WebText", "en")
    stored = measure(TextView.of([ENGLISH]), entry.pages)
    assert first_broken(stored, entry.pages) == [None]
    assert first_broken(stored, {"gopher.words": Bound(max=10)})[0] is not None


def test_no_bounds_and_nothing_invisible_leave_the_view_as_it_is() -> None:
    view = TextView.of([ENGLISH])
    assert remove_lines(view, {})[0] is view
    assert remove_lines(TextView.of(["zero\u200bwidth\ufeff"]), {})[0].text(0) == "zerowidth"
