"""The mix: which documents of each domain are taken, so that a token budget is met in the proportions asked for."""
