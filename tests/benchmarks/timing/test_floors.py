from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from lipbench.benchmarks.timing import floors


@pytest.fixture
def watched(monkeypatch):
    """Ceilings of a machine of which one knows the seconds of product, convolution and copy."""

    def measured(*seconds: float):
        done = iter([each for each in seconds for _ in range(floors.ROUNDS)])

        class Watch:
            def __init__(self, device):
                assert device.type == "cpu"

            def time(self, call):
                call()
                return SimpleNamespace(wall_s=next(done), device_s=None)

        monkeypatch.setattr(floors, "Stopwatch", Watch)
        floors.ceilings.cache_clear()
        try:
            return floors.ceilings(torch.device("cpu"), torch.float32, 1)
        finally:
            floors.ceilings.cache_clear()

    return measured


def test_the_faster_of_product_and_convolution_is_the_ceiling(watched):
    side, (batch, height, width) = floors.MATRIX["cpu"], floors.PICTURE["cpu"]
    product, convolved = 2 * side**3, 2 * batch * height * width * floors.CHANNELS**2 * floors.KERNEL**2
    assert watched(1.0, 1e3, 1.0).operations_per_s == pytest.approx(product)
    assert watched(1e3, 0.5, 1.0).operations_per_s == pytest.approx(convolved / 0.5)
    assert watched(1.0, 1.0, 2.0).bytes_per_s == pytest.approx(floors.COPY_BYTES["cpu"])
