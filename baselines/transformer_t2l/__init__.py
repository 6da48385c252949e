"""TransformerT2L: the paper's own autoregressive baseline, made of HH-T2L's modules."""
