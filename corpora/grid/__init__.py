"""The GRID audiovisual sentence corpus: 33 talkers on video, 1000 six-word sentences each, 25 frames per second.

M. Cooke, J. Barker, S. Cunningham, X. Shao, "An audio-visual corpus for speech perception and automatic speech
recognition", Journal of the Acoustical Society of America 120(5):2421, 2006. Zenodo record 3625687, CC BY 4.0.
"""
