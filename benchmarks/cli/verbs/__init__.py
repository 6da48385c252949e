"""What `lipbench` can do: one module per verb, each with `run(request)`.

`run` prints its result to standard output and raises `UserError` for what the user can mend; what it returns, if
anything, is the exit code. The help texts stand here, so that reading them imports none of the modules (and not torch).
"""

from __future__ import annotations

from typing import NamedTuple


class Help(NamedTuple):
    """What a verb says of itself."""

    summary: str
    examples: tuple[str, ...]


HELP: dict[str, Help] = {
    "list": Help(
        "show models, controls, corpora, metrics and protocols, or one model in detail",
        ("lipbench list", "lipbench list models", "lipbench list model=hh_t2l preset=paper"),
    ),
    "prepare": Help(
        "decode, find faces and mouths, cut lip crops, align: once per corpus, resumable",
        (
            "lipbench prepare corpus=grid root=../shared/data/grid",
            "lipbench prepare corpus=grid root=/data/grid --dry-run",
            "lipbench prepare corpus=tcd_timit root=/data/tcdtimit split=random",
            "lipbench prepare corpus=synthetic corpus.store=prepared/synthetic",
            "lipbench prepare corpus=grid root=/data/grid workers=8 corpus.store=prepared/grid-8",
        ),
    ),
    "show": Help(
        "draw one utterance: frames with landmarks, tokens and lip opening over time",
        (
            "lipbench show                                     # the synthetic corpus",
            "lipbench show corpus=grid utterance=s1/bbaf5a out=bbaf5a.png",
        ),
    ),
    "train": Help(
        "train a model on a corpus; the same command again goes on where it stopped",
        (
            "lipbench train                                    # HH-T2L, small, on the synthetic corpus",
            "lipbench train corpus=grid model=dual_lip",
            "lipbench train corpus=grid training.steps=4000 training.learning_rate=5e-4 out=runs/longer",
            "lipbench train --multirun model=hh_t2l,dual_lip hydra/launcher=joblib hydra.launcher.n_jobs=2",
        ),
    ),
    "evaluate": Help(
        "score a trained model, and the controls beside it, clip by clip",
        (
            "lipbench evaluate corpus=grid                     # HH-T2L, with predicted and with true durations",
            "lipbench evaluate corpus=grid model=dual_lip durations=predicted limit=20",
            "lipbench evaluate corpus=grid checkpoint=runs/longer/train/hh_t2l-small/last.ckpt",
        ),
    ),
    "score": Help(
        "score again the clips that evaluate kept, or another system's video files; needs no model",
        (
            "lipbench score run=runs/grid protocol=strict",
            "lipbench score run=runs/grid metrics=[lmd,aperture_correlation] out=runs/grid-lmd",
            "lipbench score generated=their/videos reference=data/videos title='Their model'",
            "lipbench score generated=their/videos reference=data/videos resize=true controls=[first_frame]",
        ),
    ),
    "controls": Help(
        "score what no model may beat or must not fall below, and check that every metric ranks them as it must; "
        "the same command again goes on after the controls that it has recorded",
        (
            "lipbench controls                                 # on prepared GRID, all metrics",
            "lipbench controls corpus=synthetic metrics=[psnr,ssim] limit=20",
        ),
    ),
    "bench": Help(
        "time every model at every length and score it (what pytest benchmarks/ does, without pytest)",
        (
            "lipbench bench                                    # all models, small, synthetic corpus",
            "lipbench bench models=hh_t2l frames=[25,75,137,300] seconds=5",
            "lipbench bench corpus=grid training=small out=runs/grid",
        ),
    ),
    "gate": Help(
        "decide whether a change made anything slower, worse or costlier: 0 pass, 1 fail, 2 not measured, 3 ambiguous",
        (
            "lipbench gate base=origin/main                    # this checkout against another revision",
            "lipbench gate base=v1 head=v2 models=hh_t2l durations=[] --strict",
            "lipbench gate base=HEAD head=HEAD out=runs/aa     # an A/A run: what this machine shows by chance",
            "lipbench gate base=origin/main noise=runs/aa",
            "lipbench gate base_records='gpu/base-*' head_records='gpu/head-*' device=cuda",
            "lipbench gate --self-test",
            "lipbench gate rates=runs/aa trials=1000",
            "lipbench gate trends='nightly/*'                   # stored runs: since when something changed",
        ),
    ),
    "report": Help(
        "render a run's records as markdown and HTML, with the paper's values beside ours",
        (
            "lipbench report runs/bench",
            "lipbench report runs/grid out=report",
            "lipbench report runs/grid summary=$GITHUB_STEP_SUMMARY   # what a step summary holds, the verdict first",
            "lipbench report runs/grid summary=comment.md limit=comment",
        ),
    ),
    "compare": Help(
        "set two runs side by side: paired differences of quality, ratios of latency; for a verdict see gate",
        (
            "lipbench compare runs/before runs/after",
            "lipbench compare runs/before runs/after out=runs/after/compare   # also compare.md and CSV files",
            "lipbench compare runs/before runs/after summary=comment.md limit=comment",
            "# compared are cells of one model, preset, options, corpus, split, durations; length, batch, device",
            "# ends with 0 whatever differs, with 2 if nothing can be compared: unlike protocols, no cell in both",
        ),
    ),
    "reproduce": Help(
        "train, score and time every row of the paper's tables, and report; the same command again goes on",
        (
            "lipbench reproduce --dry-run                      # the steps, and the command of each",
            "lipbench reproduce root=../shared/data/grid       # on GRID, small models: hours on a CPU",
            "lipbench reproduce corpus=synthetic rows=[hh_t2l,dual_lip] steps=500",
            "lipbench reproduce hydra/launcher=joblib hydra.launcher.n_jobs=2   # two rows side by side",
        ),
    ),
    "generate": Help(
        "make a clip from a text and a picture of a mouth",
        ("lipbench generate text='bin blue at f two now' identity=mouth.png out=clip.mp4",),
    ),
    "doctor": Help(
        "check the machine, and measure how small a difference it can tell from chance: 0 fine, 1 it cannot measure",
        (
            "lipbench doctor                                   # half a minute, most of it the A/A run",
            "lipbench doctor seconds=0                         # only the checks",
            "lipbench doctor device=cuda rounds=100 seconds=60 json=doctor.json",
            "lipbench doctor isolate=true rounds=10            # noise between processes, which the gate meets",
        ),
    ),
}
