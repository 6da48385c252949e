from __future__ import annotations

import pytest
import torch

from lipbench.models.layers.images import IdentityEncoder, ImageDecoder, coarsest, gather_frames


def stack(output="sigmoid"):
    torch.manual_seed(0)
    encoder = IdentityEncoder((4, 6), (8, 16), vector=10)
    decoder = ImageDecoder((8, 6, 5), (4, 6), (8, 16), vector=7, output=output)
    return encoder.eval(), decoder.eval()


def test_every_level_is_sent_out_and_halves_the_picture():
    encoder, _ = stack()
    features = encoder(torch.rand(3, 3, 8, 16))
    assert features.vector.shape == (3, 10)
    assert [tuple(level.shape) for level in features.levels] == [(3, 4, 4, 8), (3, 6, 2, 4)]


def test_any_subset_of_frames_can_be_drawn():
    encoder, decoder = stack()
    levels = encoder(torch.rand(2, 3, 8, 16)).levels
    motion = torch.rand(2, 9, 7)
    whole = torch.stack([decoder(row, levels, torch.full((9,), clip)) for clip, row in enumerate(motion)])
    chosen, clip = gather_frames(motion, torch.tensor([[8, 0], [3, 3]]))
    drawn = decoder(chosen, levels, clip)
    torch.testing.assert_close(
        drawn, torch.stack([whole[0, 8], whole[0, 0], whole[1, 3], whole[1, 3]]), atol=1e-6, rtol=0
    )


def test_each_level_of_the_identity_reaches_the_picture():
    encoder, decoder = stack()
    levels = encoder(torch.rand(1, 3, 8, 16)).levels
    motion, clip = torch.rand(1, 7), torch.tensor([0])
    base = decoder(motion, levels, clip)
    for i in range(2):
        changed = [level + (1.0 if i == j else 0.0) for j, level in enumerate(levels)]
        assert not torch.allclose(decoder(motion, changed, clip), base, atol=1e-5)


def test_tanh_is_clipped_outside_training_only():
    _, decoder = stack("tanh")
    levels = [torch.randn(1, 4, 4, 8) * 5, torch.randn(1, 6, 2, 4) * 5]
    motion, clip = torch.randn(1, 7), torch.tensor([0])
    assert decoder(motion, levels, clip).min() >= 0
    assert decoder.train()(motion, levels, clip).min() < 0


def test_a_frame_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="cannot be halved 2 times"):
        coarsest((6, 16), 2)
