"""The report's benchmarks (its Tables 7 and 8) through lm-evaluation-harness, from local files alone."""
