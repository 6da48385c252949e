"""A model that is told the lengths as numbers reads nothing from its device: its call can be captured and compiled."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException, FakeTensorMode

from lipbench import models
from lipbench.models.contract import HostLengths, LipRequest

FORMS = [
    *((name, {}) for name in models.names()),
    ("dual_lip", {"durations": True}),
    ("transformer_t2l", {"cache": False}),
]
TOKENS, FRAMES = 5, 12


def request_for(model: Any, *, host: bool = True, clips: int = 2) -> LipRequest:
    return LipRequest(
        tokens=torch.arange(1, 1 + clips * TOKENS).view(clips, TOKENS),
        token_lengths=torch.full((clips,), TOKENS),
        identity=torch.rand(clips, 3, *model.frame_size),
        n_frames=torch.full((clips,), FRAMES),
        host=HostLengths((TOKENS,) * clips, (FRAMES,) * clips) if host else None,
    )


@pytest.fixture(params=FORMS, ids=lambda form: "-".join([form[0], *form[1]]))
def form(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param


def test_nothing_is_read_from_the_device(form):
    name, options = form
    # tensors without values on a device that need not be there: whoever asks for a value gets an error
    with FakeTensorMode(), torch.device("cuda"), torch.backends.cudnn.flags(enabled=False):  # it asks the driver
        model: Any = models.create(name, "tiny", **options).eval()
        clip = model.generate(request_for(model))
        assert clip.frames.shape == (2, FRAMES, 3, *model.frame_size)
        assert clip.frames.device.type == "cuda"
        with pytest.raises((DataDependentOutputException, DynamicOutputShapeException)):
            model.generate(request_for(model, host=False)).lengths.tolist()


def test_frames_do_not_depend_on_what_the_host_knows(form):
    name, options = form
    torch.manual_seed(0)
    model: Any = models.create(name, "tiny", **options).eval()
    request = request_for(model)
    told, asked = model.generate(request), model.generate(request._replace(host=None))
    assert torch.equal(told.frames, asked.frames)
    assert told.lengths.tolist() == asked.lengths.tolist() == [FRAMES, FRAMES]


def test_the_parallel_model_compiles_in_one_piece():
    model: Any = models.create("hh_t2l", "tiny").eval()
    torch.compiler.reset()
    whole = torch.compile(model.generate, backend="eager", fullgraph=True)
    request = request_for(model)
    torch.testing.assert_close(whole(request).frames, model.generate(request).frames)
    with pytest.raises(torch._dynamo.exc.TorchDynamoException):  # the test can fail: unknown lengths break the graph
        whole(request._replace(host=None))
