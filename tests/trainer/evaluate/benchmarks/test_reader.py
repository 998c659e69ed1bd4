"""A model under the harness's interface: the same likelihoods however requests are shared and batched."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoConfig, AutoModelForCausalLM, BloomConfig, BloomForCausalLM

from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import write_sets
from tests.trainer.metaspace import loaded, metaspace
from tests.trainer.small_run import TEXTS, write_run
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.benchmarks.reader import Reader, Row, trunks
from trainer.evaluate.benchmarks.score import load
from trainer.evaluate.benchmarks.sets import BENCHMARKS
from trainer.evaluate.benchmarks.stage import exported
from trainer.export.generate import Sampling, generate
from trainer.export.stage import export

RIVER = TEXTS["WebText"][0].strip()
PAIRS = [
    *((f"{RIVER[:150]} {word}", f" {end}") for word in ("and", "then") for end in ("rose", "fell at night", "was")),
    ("", "夜里下了一场大雨。"), ("夜里下了", "雨。"), ("x ", "y"), (RIVER, " gone."), ("for line in", " lines:\n    print()"),
]  # fmt: skip


def requests(kind: str, arguments: Sequence[tuple[Any, ...]]) -> list[Instance]:
    return [Instance(kind, {}, one, place, metadata=("x", place, 1)) for place, one in enumerate(arguments)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    config = write_run(tmp_path_factory.mktemp("model"), context=192)
    export(config, Run(config.run))
    return f"{config.run}/export"


def reader(folder: str, batch: int = 3) -> Reader:
    made: Reader = exported(folder, BenchmarkConfig(batch=batch, device="cpu"), 1, ours=True)
    return made


def plainly(model: Reader, context: str, continuation: str) -> float:
    """One request by itself, from full logits."""
    before, whole = model.encode(context.rstrip()), model.encode(context + continuation)
    ids = [2, *whole][-(model.context + 1) :]
    with torch.no_grad():
        logits = model.model(input_ids=torch.tensor([ids[:-1]])).logits[0].float().log_softmax(-1)
    count = len(whole) - len(before)
    return sum(float(logits[place, ids[place + 1]]) for place in range(len(ids) - 1 - count, len(ids) - 1))


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_likelihoods_are_those_of_each_request_by_itself(folder: str, batch: int) -> None:
    model = reader(folder, batch)
    found = model.loglikelihood(requests("loglikelihood", PAIRS))
    for (context, continuation), (nats, _) in zip(PAIRS, found, strict=True):
        assert nats == pytest.approx(plainly(model, context, continuation), abs=2e-4)


def test_likelihoods_are_those_of_the_harnesss_own_reader(folder: str) -> None:
    """Behind a text that begins it, ours and the harness's see the same; ours has the end of a document in front."""
    pairs = [(f"</s>{context}", continuation) for context, continuation in PAIRS if context]
    theirs = HFLM(pretrained=folder, tokenizer=folder, device="cpu", dtype="float32", batch_size=2)
    expected = theirs.loglikelihood(requests("loglikelihood", pairs), disable_tqdm=True)
    found = reader(folder).loglikelihood(requests("loglikelihood", [pair for pair in PAIRS if pair[0]]))
    fitting = [place for place, pair in enumerate(pairs) if len(reader(folder).encode("".join(pair))) <= 192]
    assert len(fitting) >= 8
    for place in fitting:
        assert found[place][0] == pytest.approx(expected[place][0], abs=2e-4)
        assert found[place][1] == expected[place][1]


def test_whole_texts_are_scored_as_by_the_harness(folder: str) -> None:
    texts = [(RIVER * 3,), ("雨",), ("for line in lines:\n",)]
    theirs = HFLM(pretrained=folder, tokenizer=folder, device="cpu", dtype="float32", batch_size=2, prefix_token_id=2)
    expected = theirs.loglikelihood_rolling(requests("loglikelihood_rolling", texts), disable_tqdm=True)
    found = reader(folder).loglikelihood_rolling(requests("loglikelihood_rolling", texts))
    assert found == pytest.approx([float(value) for value in expected], abs=1e-3)


def test_a_likelier_continuation_is_said_to_be_the_likeliest(folder: str) -> None:
    model = reader(folder)
    with torch.no_grad():
        order = (
            model.model(input_ids=torch.tensor([[2, *model.encode("Rain")]])).logits[0, -1].argsort(descending=True).tolist()
        )
    words = [
        word
        for word in map(model.tokenizer.decode, order)
        if model.encode(f"Rain{word}") == [*model.encode("Rain"), *model.encode(word)]
    ]
    single = [word for word in words if len(model.encode(word)) == 1 and not word.isspace()]
    found = model.loglikelihood(requests("loglikelihood", [("Rain", single[0]), ("Rain", single[-1])]))
    assert model.encode(single[0]) == order[:1], "the likeliest token of this network is to be one that text gives"
    assert found[0][1] and not found[1][1]


def test_common_beginnings_are_read_once(folder: str) -> None:
    model, read = reader(folder, 16), []
    forward = model.model.forward

    def counted(*arguments: Any, **given: Any) -> Any:
        read.append(given["input_ids"].numel())
        return forward(*arguments, **given)

    model.model.forward = counted
    shots = RIVER[:200]
    pairs = [(f"{shots} {n}. Which?", f" {letter}") for n in range(5) for letter in "ABCD"]
    model.loglikelihood(requests("loglikelihood", pairs))
    alone = sum(len(model.encode("".join(pair))) for pair in pairs)
    assert sum(read) < alone / 5


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=30))
def test_every_row_is_in_one_group_and_its_targets_are_not_shared(shapes: list[tuple[int, int, int, int]]) -> None:
    rows = [
        Row([9] + [first] * 40 + [second] * 30 + list(range(length + targets)), targets, place)
        for place, (first, second, length, targets) in enumerate(shapes)
    ]
    groups = trunks(rows)
    assert sorted(row.place for _, members in groups for row in members) == list(range(len(rows)))
    for shared, members in groups:
        assert len({tuple(row.ids[:shared]) for row in members}) == 1
        assert all(shared < len(row.ids) - row.targets for row in members)


def test_generated_text_ends_before_a_stop_and_does_not_depend_on_its_neighbours(folder: str) -> None:
    how = {"until": ["e"], "max_gen_toks": 20, "temperature": 0.0}
    prompts = [("The river", how), ("Rain again. Rain", how), ("夜里", how)]
    together = reader(folder, 3).generate_until(requests("generate_until", prompts))
    alone = reader(folder, 1).generate_until(requests("generate_until", prompts))
    assert together == alone
    assert all("e" not in text for text in together)


def test_a_prompt_is_kept_and_its_answer_shortened_where_the_context_is_short(folder: str) -> None:
    model, asked = reader(folder), []
    generate = model.model.generate

    def watched(**given: Any) -> Any:
        asked.append((given["inputs"].shape[1], given["max_new_tokens"]))
        return generate(**given)

    model.model.generate = watched
    prompt = RIVER[:80]
    size = len(model.encode(prompt))
    assert 20 < size < 90
    how = {"until": ["\x00"], "max_gen_toks": 384, "temperature": 0.0}
    (text,) = model.generate_until(requests("generate_until", [(prompt, how)]))
    assert asked == [(1 + size, 96)]  # context 192: half of it for the answer
    (other,) = model.generate_until(requests("generate_until", [("夜里", how)]))
    assert text != other


def test_generation_ends_at_an_end_that_is_not_the_start(folder: str) -> None:
    """What a model says behind the end of its answer is another document: it must not be glued to the answer."""
    model, made = reader(folder), []
    generate = model.model.generate

    def watched(**given: Any) -> Any:
        made.append((found := generate(**given))[:, given["inputs"].shape[1] :].tolist())
        return found

    model.model.generate = watched
    how = {"until": ["\x00"], "max_gen_toks": 20, "temperature": 0.0}
    asked = requests("generate_until", [("The river", how), ("Rain again.", how)])
    whole = model.generate_until(asked)
    model.ends = [made[0][0][4], made[0][1][9]]
    found = model.generate_until(asked)
    for text, ids, before in zip(found, made[0], whole, strict=False):
        stop = min(ids.index(end) for end in model.ends if end in ids)
        assert text == model.tokenizer.decode(ids[:stop]) and before != text


def test_a_generated_function_keeps_its_indentation_whatever_the_tokenizer(folder: str) -> None:
    """One after SentencePiece takes a blank at the beginning of what it decodes for its own."""
    prompts, body = ("def twice(n):\n", "def f():\n"), "    return 1"
    model = reader(folder)
    model.tokenizer = loaded(metaspace([*prompts, body]))
    new = model.encode(prompts[0] + body)[len(model.encode(prompts[0])) :]
    model.model.generate = lambda **given: torch.cat([given["inputs"], torch.tensor([[*new, 2]] * 2)], 1)
    how = {"until": ["\nclass"], "max_gen_toks": 20, "temperature": 0.0}
    assert model.generate_until(requests("generate_until", [(prompt, how) for prompt in prompts])) == [body] * 2


def test_every_idiom_is_scored_whole_also_where_a_token_reaches_over_the_gap(folder: str, tmp_path: Path) -> None:
    items = load(BENCHMARKS["chid"], str(write_sets(tmp_path))).items
    model = reader(folder)
    model.tokenizer = loaded(metaspace([option for item in items for option in item.options] + ["湖"], [("上", "一")]))
    for option, prompt in ((option, item.prompts[0]) for item in items for option in item.options):
        (row,) = model._rows(0, prompt, option)
        idiom = "".join(model.tokenizer.convert_ids_to_tokens(row.ids[-row.targets :])).partition("，")[0]
        assert len(idiom.partition("湖上")[2] or idiom) >= 4, idiom


def test_a_model_that_names_no_longest_text_reads_any(folder: str) -> None:
    torch.manual_seed(0)
    bloom = BloomForCausalLM(BloomConfig(vocab_size=304, hidden_size=16, n_layer=1, n_head=2)).eval()
    tokenizer = reader(folder).tokenizer
    model = Reader(bloom, tokenizer, 2, [2], 3, 1)
    ((nats, _),) = model.loglikelihood(requests("loglikelihood", [("The river", " rose")]))
    how = {"until": ["\x00"], "max_gen_toks": 3, "temperature": 0.0}
    assert nats < 0 and model.generate_until(requests("generate_until", [("The river", how)]))
    assert "".join(generate(bloom, tokenizer, "The river", 3, Sampling(0), 2))


RECURRENT: dict[str, Any] = {
    "mamba": dict(num_hidden_layers=2, state_size=4),
    "lfm2": dict(num_hidden_layers=2, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2, full_attn_idxs=[1]),
}


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_network_with_recurrent_layers_reads_each_row_whole(folder: str, kind: str) -> None:
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, vocab_size=304, hidden_size=32, initializer_range=0.3, **RECURRENT[kind])
    network, tokenizer = AutoModelForCausalLM.from_config(config).eval(), reader(folder).tokenizer
    model = Reader(network, tokenizer, 2, [2], 3, 1)
    found = model.loglikelihood(requests("loglikelihood", PAIRS))
    assert any(shared for shared, _ in trunks([row for pair in PAIRS for row in model._rows(0, *pair)]))
    for (context, continuation), (nats, _) in zip(PAIRS, found, strict=True):
        assert nats == pytest.approx(plainly(model, context, continuation), abs=2e-4)
    how = {"until": ["\x00"], "max_gen_toks": 3, "temperature": 0.0}
    prompts = [("The river rose", how), ("Rain", how)]
    together = model.generate_until(requests("generate_until", prompts))
    assert together == [model.generate_until(requests("generate_until", [one]))[0] for one in prompts]


def test_samples_are_drawn_from_all_tokens_unless_top_p_says_otherwise(folder: str) -> None:
    model = reader(folder)
    with torch.no_grad():
        level = model.model(input_ids=torch.tensor([[2, *model.encode("Rain")]])).logits[0, -1].argsort(descending=True)
    first = set(level[:50].tolist())
    how = {"until": ["\x00"], "max_gen_toks": 1, "temperature": 100.0, "top_p": 1.0}
    ids = [model.encode(text) for text in model.generate_until(requests("generate_until", [("Rain", how)] * 60))]
    assert any(one and one[0] not in first for one in ids)  # transformers' own top_k is 50
    narrow = {**how, "top_p": 1e-6}
    assert len(set(model.generate_until(requests("generate_until", [("Rain", narrow)] * 20)))) == 1


def test_a_control_token_in_a_text_is_text(folder: str) -> None:
    model = reader(folder)
    assert not {0, 1, 2, 3} & set(model.encode("a <s>struck</s> word <unk> <pad>"))
    assert model.tokenizer.decode(model.encode("a <s>b</s>")) == "a <s>b</s>"


def test_an_option_longer_than_the_context_is_scored_whole(folder: str) -> None:
    model = reader(folder)
    long = RIVER * 4 + TEXTS["Code"][0]
    size = len(model.encode(long))
    assert size > 2 * 192
    scored: list[int] = []
    behind = model._behind

    def watched(shared: int, rows: Sequence[Row]) -> Any:
        scored.extend(row.targets for row in rows)
        assert all(len(row.ids) <= 193 for row in rows)
        return behind(shared, rows)

    model._behind = watched  # type: ignore[method-assign]
    ((nats, _),) = model.loglikelihood(requests("loglikelihood", [("", long)]))
    assert sum(scored) == size
    (blocked,) = model.loglikelihood_rolling(requests("loglikelihood_rolling", [(long,)]))
    assert nats == pytest.approx(blocked, rel=0.05) and nats != blocked
    # An idiom in front of a long rest: its own likelihood counts, behind what stands before it.
    scored.clear()
    model.loglikelihood(requests("loglikelihood", [(RIVER * 2, " gone" + long)]))
    assert sum(scored) == len(model.encode(f"{RIVER * 2} gone{long}")) - len(model.encode(RIVER * 2))


def test_samples_of_one_prompt_differ_and_the_seed_repeats_them(folder: str) -> None:
    how = {"until": ["\x00"], "max_gen_toks": 12, "temperature": 1.0}
    first, again = (reader(folder, 4).generate_until(requests("generate_until", [("Rain", how)] * 4)) for _ in range(2))
    assert first == again and len(set(first)) > 1


def test_rows_in_any_order_are_grouped_alike() -> None:
    rows = [Row([1] * 50 + [n, 7], 1, n) for n in range(9)]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert trunks(rows) == trunks(shuffled)
