"""`lipbench doctor`: look at the machine, measure its noise floor, and say what difference it can resolve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from lipbench.benchmarks.cells import environment
from lipbench.benchmarks.cells.environment import pick_device
from lipbench.benchmarks.cli.progress import show_progress
from lipbench.benchmarks.cli.verbs.doctor import DoctorRequest
from lipbench.benchmarks.doctor import device, host, parts, text
from lipbench.benchmarks.doctor.diagnosis import Check, Diagnosis, Noise, is_able
from lipbench.benchmarks.doctor.noise import TARGETS, aa_run
from lipbench.benchmarks.timing.telemetry import Gpu
from lipbench.files import save_text


def run(request: DoctorRequest) -> int:
    """Print the findings.

    Returns:
        The exit code: 0 where the machine can measure, warnings or not; 1 where something makes that impossible.

    Raises:
        UserError: the JSON file cannot be written.
    """
    found = list(checks(request))
    print("\n".join(text.table(found)), flush=True)
    noise = None
    if request.seconds > 0:
        noise, verdict = _noise(request, found)
        print("\n".join(text.table([verdict])))
        found.append(verdict)
    if noise is not None:
        print("\n".join(text.noise_lines(noise)))
    print(text.summary(found))
    if request.json_file is not None:
        _save(request, found, noise)
    return 0 if is_able(found) else 1


def checks(request: DoctorRequest) -> Iterator[Check]:
    """Everything but the noise floor."""
    there = device.device(request.device)
    yield there
    if there.state != "problem" and pick_device(request.device).type == "cuda":
        yield from device.gpu_checks(Gpu.of(pick_device(request.device)))
    yield host.processor()
    yield host.clocks()
    yield host.processor_load()
    yield host.threads()
    yield host.memory()
    yield host.disk(request.runs)
    yield parts.packages()
    yield parts.dlib_models()
    yield parts.inception_weights(request.inception_weights)
    yield parts.video()


def _noise(request: DoctorRequest, found: list[Check]) -> tuple[Noise | None, Check]:
    if not is_able(found):
        return None, Check(name="noise", state=None, finding="not measured: there is a problem above")
    try:
        with show_progress("A/A run", request.rounds) as progress:
            noise = aa_run(
                pick_device(request.device),
                seconds=request.seconds,
                rounds=request.rounds,
                isolated=request.isolate,
                on_progress=progress.on_progress,
            )
    except Exception as error:  # a machine that cannot do the work cannot measure it, for whatever reason
        finding = f"the A/A run failed: {type(error).__name__}: {error}"
        return None, Check(name="noise", state="problem", finding=finding, remedy="Mend that; see what is said above")
    resolved = noise.resolution
    finding = f"{resolved.rounds} rounds resolve {resolved.share:.1%}"
    facts = {"share": resolved.share, "low": resolved.low, "high": resolved.high}
    if resolved.share <= TARGETS[0]:
        return noise, Check(name="noise", state="ok", finding=finding, facts={**facts})
    return noise, Check(
        name="noise",
        state="warning",
        finding=f"{finding}: the gate's margin of {TARGETS[0]:.0%} is within chance",
        remedy=f"Take {noise.needed[0].rounds} rounds and more, or make the machine quieter",
        facts={**facts},
    )


def _save(request: DoctorRequest, found: list[Check], noise: Noise | None) -> None:
    assert request.json_file is not None
    diagnosis = Diagnosis(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=environment.command_line(),
        machine=environment.machine(),
        software=environment.software(),
        checks=found,
        noise=noise,
    )
    save_text(diagnosis.model_dump_json(indent=1), request.json_file, "the diagnosis")
