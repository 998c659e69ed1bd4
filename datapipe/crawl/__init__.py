"""The demo's corpus, made from what every machine with this project has: documentation, sources, licences, readmes.

It is written as any corpus is (a WARC file and JSON lines), so the line reads it by the same rules as a real one.
"""
