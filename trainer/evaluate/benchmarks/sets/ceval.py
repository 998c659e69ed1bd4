"""C-Eval: Chinese exams of 52 subjects, four choices; the letter is scored, as in OpenCompass's ceval_ppl."""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded
from trainer.evaluate.benchmarks.sets._letters import lettered


def load(folder: Folder) -> Loaded:
    """Records {subject, id, question, A to D, answer} of the validation set, dev records as shots where they are there;
    subject_mapping.json gives the subjects' Chinese names."""
    names: dict[str, Any] = next((value for _, value in folder.json(r"subject_mapping\.json", needed=False)), {})
    items = [_item(stem, row) for stem, row in _records(folder, "val", True)]
    shots: dict[str, list[str]] = {}
    for stem, row in _records(folder, "dev", False):
        shots.setdefault(row["subject"], []).append(_item(stem, row).shown)
    above = {
        item.subject: f"以下是中国关于{names.get(item.subject, ['', item.subject])[1]}考试的单项选择题，请选出其中的正确答案。"
        for item in items
    }
    return Loaded(items, shots, above)


def _item(stem: str, row: dict[str, Any]) -> Item:
    return lettered(f"{stem}/{row['subject']}#{row['id']}", row, row["subject"], "答案：")


def _records(folder: Folder, split: str, needed: bool) -> Any:
    """Simplified characters where a folder has both."""
    simplified = rf"{split}_zhcn.*\.jsonl"
    pattern = simplified if folder.files(simplified, needed=False) else rf"{split}[^/]*\.jsonl"
    return folder.json(pattern, needed)


BENCHMARK = Benchmark("ceval", "C-Eval", "chinese", 5, "acc", load, "the validation set; mean over subjects", macro=True)
