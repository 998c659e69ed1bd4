"""The quality classifier: which crawled pages read like reference text (fastText, one model a language)."""
