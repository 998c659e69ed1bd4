"""Which sequence comes when, and reading it: token shards -> domains -> the blend. numpy alone, no torch.

::

    data = TokenData.read("runs/demo/encode")
    blend = Blend(data, context=4096, seed=1)
    tokens, domains = blend.sequences(start=0, count=1344)     # [1344, 4097] int64, [1344] int64
    for batch in Validation(data, context=4096).batches("WebText", 8): ...
"""

from trainer.data.blend import Blend, segments
from trainer.data.token_data import TokenData, TokenDataError
from trainer.data.unigram import unigram_nats
from trainer.data.validation import Validation

__all__ = ["Blend", "TokenData", "TokenDataError", "Validation", "segments", "unigram_nats"]
