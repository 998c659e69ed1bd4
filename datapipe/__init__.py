"""From raw sources to token shards, on Spark: one function a stage in `stages/`, what they know in the rooms beside it."""
