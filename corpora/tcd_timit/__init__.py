"""TCD-TIMIT: 59 volunteers reading 98 TIMIT sentences each, filmed straight from the front at 29.97 frames per second.

N. Harte, E. Gillen, "TCD-TIMIT: An audio-visual corpus of continuous speech", IEEE Transactions on Multimedia
17(5):603, 2015. The corpus is given out on request only: what is here was written from public descriptions and label
files, and tested against files made in that format, never against the corpus itself.
"""
