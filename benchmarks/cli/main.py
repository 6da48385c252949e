"""The command line: `lipbench VERB name=value …`.

Only this module turns errors into one line and an exit code: 0 done, 2 something the user can mend, 70 an error of
lipbench itself, 130 interrupted. A verb whose result is a verdict gives its own code.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from lipbench.benchmarks.cli import verbs
from lipbench.errors import UserError

TRACEBACK = "--traceback"
MULTIRUN = ("--multirun", "-m")
"""Hydra's word for a sweep."""
HELPS = ("-h", "--help")
EXIT_INTERNAL_ERROR = 70
"""Exit code of an error of lipbench itself, as sysexits.h has it (EX_SOFTWARE). Python's own would be 1, which of a
verb that gives a verdict says "failed"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        arguments: words after the program's name; None: those of this process.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with_traceback = TRACEBACK in words
    words = [word for word in words if word != TRACEBACK]
    # a warning is for the user here: where in the code it was raised is not
    warnings.formatwarning = lambda message, *_args, **_kwargs: f"lipbench: {message}\n"
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("lipbench").setLevel(logging.INFO)
    try:
        code = _dispatch(words)
        # what waits in the buffer may find no reader either
        sys.stdout.flush()
        return code
    except UserError as error:
        if with_traceback:
            traceback.print_exc()
        print(f"lipbench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lipbench: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of the pipe has closed it: exit quietly
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERNAL_ERROR if _gives_verdict(words) else 0
    except Exception:
        traceback.print_exc()
        print("lipbench: this is an error of lipbench itself, no result", file=sys.stderr)
        return EXIT_INTERNAL_ERROR


def _gives_verdict(words: Sequence[str]) -> bool:
    verb = verbs.verbs().get(words[0]) if words else None
    return verb is not None and verb.gives_verdict and not any(word in HELPS for word in words)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in (*HELPS, "help"):
        print(_overview())
        return 0 if words else 2
    name, *overrides = _normalise_words(words)
    verb = verbs.get(name)
    if any(word in HELPS for word in overrides):
        print(_help(name))
        return 0
    if any(word in MULTIRUN for word in overrides):
        from lipbench.benchmarks.cli import multirun

        multirun.run(name, [word for word in overrides if word not in MULTIRUN])
        return 0
    for place, option in enumerate(verb.positional[: len(overrides)]):
        if "=" in overrides[place]:
            break
        overrides[place] = f"{option}={overrides[place]}"
    return verb.run(verbs.request(name, overrides)) or 0


def _normalise_words(words: Sequence[str]) -> list[str]:
    """Words as other programs have them, `--strict`, `--base REV` and `--base=REV`, as name=value."""
    flags = {flag: option for verb in verbs.verbs().values() for flag, option in verb.flags.items()}
    assignments: list[str] = []
    remaining = list(words)
    while remaining:
        word = remaining.pop(0)
        if word in flags:
            assignments.append(f"{flags[word]}=true")
        elif not word.startswith("--") or word in (*MULTIRUN, *HELPS):
            assignments.append(word)
        else:
            if "=" not in word and remaining and not remaining[0].startswith("--") and "=" not in remaining[0]:
                word = f"{word}={remaining.pop(0)}"
            name, equals, value = word.partition("=")
            assignments.append(f"{name.removeprefix('--').replace('-', '_')}={value}" if equals else word)
    return assignments


def _overview() -> str:
    lines = [
        "lipbench: benchmark and evaluation harness for text-to-lip generation",
        "",
        "lipbench VERB name=value …",
        "",
    ]
    lines += [f"  {name:<10} {verb.summary}" for name, verb in verbs.verbs().items()]
    lines += ["", f"lipbench VERB --help shows a verb's options. {TRACEBACK} shows where an error came from."]
    return "\n".join(lines)


def _help(name: str) -> str:
    from lipbench.benchmarks.config import composition

    verb = verbs.get(name)
    multirun_help = f"with {MULTIRUN[0]}, a job for each of the values that commas separate (docs/cluster.md)"
    return "\n".join(
        [
            f"lipbench {name}: {verb.summary}",
            "",
            "examples",
            *(f"  {example}" for example in verb.examples),
            "",
            "options, written NAME=VALUE, with their defaults (??? has none and must be given)",
            *(f"  {line}".rstrip() for line in composition.explain(name)),
            *(["", multirun_help] if verb.claims is not None else []),
        ]
    )
