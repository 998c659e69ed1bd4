"""The model card: what the model is, what it was trained on and how good it is, from the run's own records."""

from __future__ import annotations

from typing import Any

import yaml

from core import storage
from core.config import build
from core.run import Run
from trainer.checkpoint import folder_name
from trainer.config import ModelConfig
from trainer.evaluate.markdown import figure, table
from trainer.stage import made_of


def card(run: Run, model: ModelConfig, facts: dict[str, Any]) -> str:
    """README.md of an export, with the metadata that the Hugging Face hub reads. Only what the run wrote down is said."""
    encode = run.stage("encode").manifest() or {}
    pretrain = run.stage("pretrain").manifest() or {}
    evaluate = run.stage("evaluate").manifest() or {}
    end = storage.read_json(run.stage("train_tokenizer").path("tokenizer_config.json"))["eos_token"]
    head = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "language": _languages(encode),
        "tags": [facts["form"]],
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---",
        "# A language model trained with open-tele-flm",
        "A base model: it continues text and has not been taught to follow instructions or to decline. It repeats what its "
        "training text says, errors and prejudices included. Its outputs need to be checked before they are relied on.",
        "## The network",
        table(
            ["", ""],
            [
                ["architecture", f"{facts['architecture']} (the Tele-FLM report's network)"],
                ["parameters", f"{facts['parameters']:,}"],
                ["layers, width, heads, feed-forward", f"{model.layers}, {model.hidden}, {model.heads}, {model.ffn}"],
                ["vocabulary, with padding", f"{model.vocab:,}, {model.rows:,}" if model.vocab else f"{model.rows:,}"],
                ["context", f"{model.context:,} tokens"],
                ["stored as", facts["precision"]],
                ["checkpoint", f"step {facts['step']:,}"],
            ],
        ),
        f"Documents in training stand one after another, each ended by `{end}`; a prompt that begins a document should begin "
        f"with `{end}`.",
        "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("this/directory")\n'
        'model = AutoModelForCausalLM.from_pretrained("this/directory")\n```',
        "## Training",
        _training(run, pretrain, facts["step"]),
    ]
    if encode.get("mix"):
        parts += ["Mix:", _mix(encode["mix"])]
    if evaluate.get("bpb") and _of_this(evaluate, run, facts["step"]):
        parts += [f"## Validation\n\n{evaluate.get('context', '')} Step {facts['step']:,}.", _scores(evaluate["bpb"])]
    if scores := _benchmarks(run, facts["step"]):
        parts += ["## Benchmarks", *scores]
    if "check" in facts:
        check = facts["check"]
        parts.append(
            f"On {check['tokens']} tokens the logits of this export differ from the training code's by at most "
            f"{check['difference']:.1e}."
        )
    return "\n\n".join(parts) + "\n"


def renew(run: Run) -> None:
    """Writes the card of a run's export anew: benchmarks are scored on the export, so after its first card.

    That of an export whose training was moved aside stays: what a card says is read from the run as it is now.
    """
    directory = run.stage("export")
    facts = directory.manifest()
    if facts is None or made_of(run)[0] != run.training():
        return
    if "model" in facts:  # earlier versions did not write the model down
        model = build(ModelConfig, facts["model"], "model", directory.uri)
        storage.write_text(directory.path("README.md"), card(run, model, facts))


def _languages(encode: dict[str, Any]) -> list[str]:
    found = {language for shard in encode.get("shards", []) for language in shard.get("languages", {})}
    return sorted(language for language in found if len(language) == 2)


def _of_this(found: dict[str, Any], run: Run, step: int) -> bool:
    """Whether figures are of the exported checkpoint: a run's folder may hold those of another step or training."""
    return (found.get("training"), found.get("step")) == (run.training(), step)


def _training(run: Run, pretrain: dict[str, Any], step: int) -> str:
    uri = storage.join(run.uri, "run.json")
    record = storage.read_json(uri) if storage.exists(uri) else {}
    said = []
    if pretrain.get("steps") == step:
        said.append(f"{step:,} steps, loss from {pretrain['first_loss']:.3f} to {pretrain['last_loss']:.3f} nats per token.")
    else:
        whole = pretrain.get("steps", 0)
        said.append(f"{step:,} steps of {whole:,}." if whole > step else f"{step:,} steps.")
    if record.get("commit"):
        said.append(f"Code at commit `{record['commit']}`.")
    return " ".join(said)


def _mix(mix: dict[str, Any]) -> str:
    rows = [[name, f"{100 * row['proportion']:.2f} %", f"{row['train_tokens']:,}"] for name, row in mix.items()]
    return table(["domain", "proportion", "tokens of one epoch"], rows)


def _scores(scores: dict[str, Any]) -> str:
    rows = [[name, f"{row['loss']:.3f}", f"{row['bpb']:.3f}", f"{row['utf8_bytes']:,}"] for name, row in scores.items()]
    return table(["domain", "loss, nats per token", "bits per byte", "UTF-8 bytes"], rows)


def _benchmarks(run: Run, step: int) -> list[str]:
    """The table of this very checkpoint: from the stage `benchmark`, or else as it was scored while the run went on."""
    places = {"benchmark/scores.json": "scores", f"evolution/{folder_name(step)}.json": "benchmarks"}
    for place, key in places.items():
        uri = storage.join(run.uri, place)
        found = storage.read_json(uri) if storage.exists(uri) else {}
        if not _of_this(found, run, step) or not found[key]:
            continue
        rows = [
            [
                row["title"],
                figure(row["score"], 2),
                figure(row["chance"], 2),
                f"±{figure(row['error'], 2)}",
                f"{row['items']:,} of {row['of']:,}",
                f"{row['shots']} ({row['fitted']:.1f})",
                row["metric"],
            ]
            for row in found[key].values()
        ]
        said = (
            "Percent, with chance on the same items and the standard error. Shots: asked for, and how many fitted in the mean."
        )
        return [said, table(["", "score", "chance", "error", "items", "shots", "metric"], rows)]
    return []
