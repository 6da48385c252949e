"""`python -m benchmarks.cli`, by which a gate of version 0.1 starts this revision."""

import sys

from lipbench.benchmarks.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
