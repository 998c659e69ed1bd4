"""ChID: which of seven idioms stood in a passage, by the likelihood of the passage from the gap on.

OpenCompass's FewCLUE_chid_ppl asks otherwise: it asks whether the sentence reads well, shows the whole passage, says that it
does, and takes the likelihood of all that per token. Ours is the bare passage; what stands before the gap is the same for all
idioms and cancels, and the sum over what follows is not divided, since all idioms are rivals for one gap.
"""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded

GAP = "#idiom#"


def load(folder: Folder) -> Loaded:
    """Records {id, candidates, content with #idiom#, answer} of test_public."""
    return Loaded([_item(record) for _, record in folder.json(r"test_public\.json")])


def _item(record: dict[str, Any]) -> Item:
    before, _, after = record["content"].partition(GAP)
    candidates = [str(idiom) for idiom in record["candidates"]]
    # What stands before the gap is the same for all, so its likelihood need not be counted.
    options = tuple(f"{idiom}{after.replace(GAP, idiom)}" for idiom in candidates)
    return Item(str(record["id"]), (before,), options, (int(record["answer"]),))


BENCHMARK = Benchmark(
    "chid", "CHID", "chinese", 0, "acc", load, "FewCLUE's public test; the bare passage from the gap on is scored"
)
