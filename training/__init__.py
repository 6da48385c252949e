"""Training: batches made from a corpus, the paper's losses, Lightning, and checkpoints that carry no code."""
