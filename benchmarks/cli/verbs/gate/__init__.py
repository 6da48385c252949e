"""`lipbench gate`: measure two revisions in turn, or read what was measured, and decide."""

from __future__ import annotations

from lipbench.benchmarks.cli.verb import Verb
from lipbench.benchmarks.config.requests import GateRequest


def run(request: GateRequest) -> int:
    """Print the decision.

    Returns:
        The exit code: 0 pass, 1 fail, 2 not measured, 3 ambiguous.

    Raises:
        UserError: nothing could be measured, for a reason that the user can mend.
    """
    from lipbench.benchmarks.cli.verbs.gate import work

    return work.run(request)


VERB = Verb(
    summary="decide whether a change made anything slower, worse or costlier: "
    "0 pass, 1 fail, 2 not measured, 3 ambiguous",
    examples=(
        "lipbench gate base=origin/main                    # this checkout against another revision",
        "lipbench gate base=v1 head=v2 models=hh_t2l durations=[] --strict",
        "lipbench gate base=HEAD head=HEAD out=runs/aa     # an A/A run: what this machine shows by chance",
        "lipbench gate base=origin/main noise=runs/aa",
        "lipbench gate base_records='gpu/base-*' head_records='gpu/head-*' device=cuda",
        "lipbench gate --self-test",
        "lipbench gate trends='nightly/*'                   # stored runs: since when something changed",
    ),
    place=90,
    request=GateRequest,
    run=run,
    flags={"--self-test": "selftest", "--strict": "strict"},
    gives_verdict=True,
)
