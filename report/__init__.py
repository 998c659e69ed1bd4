"""From the files of a run to one page and a summary: no training code, no Spark, nothing of either wing."""
