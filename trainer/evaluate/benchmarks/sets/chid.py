"""ChID: which of seven idioms stood in a passage, by the likelihood of the passage with each.

OpenCompass's FewCLUE_chid_ppl asks otherwise: it asks whether the sentence reads well, shows the whole passage, says that it
does, and takes the likelihood of all that per token. Ours is the bare passage, and the sum over it is not divided, since all
idioms are rivals for one gap. What stands before the gap is scored too, though it mostly cancels: a token may reach over the
gap's edge with one idiom and not with another, and the idiom's first character must cost both.
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
    options = tuple(record["content"].replace(GAP, str(idiom)) for idiom in record["candidates"])
    return Item(str(record["id"]), ("",), options, (int(record["answer"]),))


BENCHMARK = Benchmark("chid", "CHID", "chinese", 0, "acc", load, "FewCLUE's public test; the bare passage is scored")
