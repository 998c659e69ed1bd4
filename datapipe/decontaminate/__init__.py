"""Test items of benchmarks in training text: reading the benchmarks, indexing their n-grams, finding them."""
