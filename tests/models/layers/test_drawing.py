from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from lipbench.models.layers.drawing import FoldedDrawing, PlainDrawing, draw_in_chunks, prepare_drawing
from lipbench.models.layers.images import IdentityEncoder, ImageDecoder


def stack(clips=2, *, output="sigmoid", kernel=5, seed=0):
    """An encoder's features and a decoder whose batch norms have seen something."""
    torch.manual_seed(seed)
    encoder = IdentityEncoder((4, 6), (8, 16), vector=10, kernel=kernel)
    decoder = ImageDecoder((8, 6, 5), (4, 6), (8, 16), vector=7, kernel=kernel, output=output)
    for module in decoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            # small variances, so that what differs between frames stays larger than rounding
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.01, 0.1)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
    nn.init.constant_(decoder.extra[-1].bias, 0.5)  # or most of a tanh would be clipped away
    return encoder.eval()(torch.rand(clips, 3, 8, 16)).levels, decoder.eval()


class Widest(TorchDispatchMode):
    """The most pictures that any convolution is given at once."""

    pictures = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution.default:
            self.pictures = max(self.pictures, len(args[0]))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
@pytest.mark.parametrize("kernel", [3, 5])
def test_folded_frames_are_the_plain_ones(output, kernel):
    levels, decoder = stack(output=output, kernel=kernel)
    motion, lengths = torch.randn(2, 9, 7), [9, 9]
    with torch.no_grad():
        plain = PlainDrawing(decoder, levels).clips(motion, lengths)
        folded = FoldedDrawing(decoder, levels).clips(motion, lengths)
        torch.testing.assert_close(folded, plain, atol=1e-5, rtol=0)
        torch.testing.assert_close(FoldedDrawing(decoder, levels).frame(motion[:, 3]), plain[:, 3], atol=1e-5, rtol=0)
        torch.testing.assert_close(PlainDrawing(decoder, levels).frame(motion[:, 3]), plain[:, 3], atol=1e-5, rtol=0)
    assert plain.std(dim=1).mean() > 0.03  # frames that differ from one another, or the comparison says nothing


@given(st.integers(1, 12), st.lists(st.integers(1, 8), min_size=1, max_size=3), st.sampled_from(["folded", "plain"]))
@settings(max_examples=25)
def test_chunks_change_nothing_and_each_clip_has_its_own_identity(chunk, rows, way):
    levels, decoder = stack(len(rows))
    motion = torch.randn(len(rows), max(rows), 7)
    with torch.no_grad():
        made = prepare_drawing(decoder, levels, way).clips(motion, rows, chunk=chunk)
        for clip, length in enumerate(rows):
            alone = decoder(motion[clip, :length], levels, torch.full((length,), clip))
            torch.testing.assert_close(made[clip, :length], alone, atol=1e-5, rtol=0)


def test_no_more_frames_are_worked_on_at_once_than_asked_however_long_the_clip():
    levels, decoder = stack()
    ready = FoldedDrawing(decoder, levels)
    with torch.no_grad(), Widest() as widest:
        ready.clips(torch.randn(2, 40, 7), [40, 3], chunk=4)
    assert widest.pictures == 4


def test_frames_after_a_clips_end_are_not_drawn():
    levels, decoder = stack()
    made = FoldedDrawing(decoder, levels).clips(torch.randn(2, 5, 7), [5, 2])
    assert not made[1, 2:].any()
    assert made[1, :2].any(dim=(1, 2, 3)).all()


def test_a_decoder_in_training_mode_is_not_folded():
    levels, decoder = stack()
    motion = torch.randn(2, 5, 7)
    for part in (decoder, decoder.levels[0][1]):  # the whole, and one batch norm alone
        decoder.eval()
        part.train()
        made = prepare_drawing(decoder, levels).clips(motion, [5, 5])
        clips = torch.arange(2).repeat_interleave(5)
        torch.testing.assert_close(made.flatten(0, 1), decoder(motion.flatten(0, 1), levels, clips))


@given(st.integers(0, 4), st.lists(st.integers(1, 8), min_size=1, max_size=3), st.sampled_from(["folded", "plain"]))
@settings(max_examples=25)
def test_chunks_that_are_handed_out_join_to_the_whole_clips(chunk, rows, way):
    levels, decoder = stack(len(rows))
    motion = torch.randn(len(rows), max(rows), 7)
    with torch.no_grad():
        drawn = prepare_drawing(decoder, levels, way)
        whole, parts = drawn.clips(motion, rows), list(draw_in_chunks(drawn, motion, rows, chunk=chunk))
    assert parts[0].shape[1] == 1
    assert all(part.shape[1] <= chunk for part in parts[1:] if chunk)
    joined = torch.cat(parts, dim=1)
    assert joined.shape == whole.shape
    for clip, length in enumerate(rows):
        torch.testing.assert_close(joined[clip, :length], whole[clip, :length], atol=1e-6, rtol=0)


@pytest.mark.parametrize("way", ["folded", "plain"])
def test_the_first_frame_is_handed_out_before_the_others_are_drawn(way):
    levels, decoder = stack(1)
    with torch.no_grad():
        chunks = draw_in_chunks(prepare_drawing(decoder, levels, way), torch.randn(1, 9, 7), [9])
        with Widest() as first:
            next(chunks)
        with Widest() as rest:
            list(chunks)
    assert (first.pictures, rest.pictures) == (1, 8)
