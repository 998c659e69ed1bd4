"""Web pages: parsed once, walked once, and each line of text kept or left by what markup, words and neighbours say about it."""
