"""From a corpus as downloaded to the prepared store: what all filmed corpora share.

A corpus finds its clips, their splits and their labels (`lipbench.corpora.grid`, `lipbench.corpora.tcd_timit`);
everything else is here.
"""
