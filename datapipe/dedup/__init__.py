"""Duplicates: repeated paragraphs (exact, on a normal form) and near-duplicate documents (MinHash, verified)."""
