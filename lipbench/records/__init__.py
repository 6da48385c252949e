"""The file format of what was measured; read and written nowhere else."""
