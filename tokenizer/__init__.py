"""The tokenizer: training, encoding, the compression table, and the token shards. Knows neither Spark nor torch."""
