"""Which items are asked, and which shots stand before them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded
from trainer.evaluate.benchmarks.prompts import Prompter, draw


def items(number: int, subject: str = "") -> list[Item]:
    return [
        Item(f"{subject}{n}", (f"ask {n}",), (" a", " b"), (0,), shown=f"shown {subject}{n}", subject=subject)
        for n in range(number)
    ]


def prompter(loaded: Loaded, shots: int, context: int = 10_000) -> Prompter:
    benchmark = Benchmark("x", "X", "english", shots, "acc", lambda folder: loaded, "")
    return Prompter(benchmark, loaded, shots, "1 x", len, context)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_a_larger_cut_holds_the_smaller_one(small: int, more: int) -> None:
    every = items(50)
    first, second = draw(every, small, "s"), draw(every, min(50, small + more), "s")
    assert len(first) == small and {item.key for item in first} <= {item.key for item in second}
    assert [item.key for item in second] == sorted((item.key for item in second), key=int)


def test_the_benchmarks_own_shots_stand_in_order_below_what_is_said_above() -> None:
    loaded = Loaded(items(2, "s"), {"s": ["one", "two", "three"]}, {"s": "Above."})
    asked = prompter(loaded, 2).ask(loaded.items[0])
    assert asked.item.prompts == ("Above.\n\none\n\ntwo\n\nask 0",) and asked.shots == 2


def test_shots_out_of_the_items_are_of_the_subject_and_never_the_asked_one() -> None:
    loaded = Loaded(items(6, "s") + items(6, "t"))
    ask = prompter(loaded, 3)
    for item in loaded.items:
        prompt = ask.ask(item).item.prompts[0]
        assert prompt.count("shown") == 3
        assert f"{item.shown}\n" not in prompt
        assert f"shown {'t' if item.subject == 's' else 's'}" not in prompt


def test_as_many_whole_shots_as_the_context_holds() -> None:
    loaded = Loaded(items(1), {"": ["x" * 10] * 5})
    asked = prompter(loaded, 5, context=1 + len("ask 0") + len(" a") + 2 * 12).ask(loaded.items[0])
    assert asked.shots == 2 and asked.item.prompts == ("x" * 10 + "\n\n" + "x" * 10 + "\n\nask 0",)


def test_an_item_that_is_longer_than_the_context_is_counted() -> None:
    loaded = Loaded(items(1), {"": ["x" * 10] * 5})
    size = len("ask 0") + len(" a")
    assert not prompter(loaded, 5, context=size).ask(loaded.items[0]).cut
    assert prompter(loaded, 5, context=size - 1).ask(loaded.items[0]).cut


def test_an_answer_leaves_the_prompt_half_of_the_context() -> None:
    item = Item("x", ("q" * 30,), answer="1", shown="q" * 30)
    benchmark = Benchmark("x", "X", "english", 0, "exact", lambda folder: Loaded([item]), "", tokens=384)
    cut = [Prompter(benchmark, Loaded([item]), 0, "1 x", len, context).ask(item).cut for context in (60, 61, 62, 400, 1000)]
    assert cut == [True, False, False, False, False]  # one more for the id in front of the prompt


def test_fewer_items_than_shots_is_no_error() -> None:
    loaded = Loaded(items(2))
    assert prompter(loaded, 5).ask(loaded.items[0]).shots == 1
