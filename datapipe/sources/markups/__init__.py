"""Marked-up text to plain text, one file a markup: a function from a string to a string, "" where nothing is left."""
