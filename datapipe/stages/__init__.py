"""The line itself: one file a stage, each `stage(work) -> facts`. They say what happens; the rooms beside know how."""
