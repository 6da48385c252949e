from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lipbench.errors import UserError
from lipbench.training import losses
from lipbench.training.adversary import Adversary
from lipbench.training.config import TrainingConfig
from lipbench.training.discriminator import QualityDiscriminator

SIZE = (20, 40)
CONFIG = TrainingConfig(weight_adversarial=5.0, discriminator_hidden=32, discriminator_learning_rate=1e-3)


def alone(tensor):
    return tensor


def adversary(config=CONFIG):
    torch.manual_seed(0)
    made = Adversary(SIZE, config)
    made.begin(None)
    return made


@pytest.mark.parametrize("size", [(80, 160), (40, 80), (20, 40), (36, 72)])
def test_every_frame_size_ends_in_one_number_per_frame(size):
    judge = QualityDiscriminator(size, hidden=32)
    assert judge(torch.rand(3, 3, *size)).shape == (3,)


def test_a_frame_is_judged_on_its_own():
    judge = QualityDiscriminator(SIZE, hidden=32)
    frames = torch.rand(5, 3, *SIZE)
    assert torch.allclose(judge(frames)[2], judge(frames[2:3])[0], atol=1e-6)


def test_every_pixel_counts():
    frames = torch.rand(1, 3, *SIZE, requires_grad=True)
    QualityDiscriminator(SIZE, hidden=32)(frames).sum().backward()
    assert frames.grad is not None
    assert (frames.grad.abs().sum(dim=1) > 0).all()


def test_the_least_squares_losses_are_those_of_the_paper():
    true, drawn = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.2])
    assert losses.discriminator_loss(true, drawn).item() == pytest.approx((0 + 0.25) / 2 + (0 + 0.04) / 2)
    assert losses.generator_loss(drawn).item() == pytest.approx((1 + 0.64) / 2)


def test_the_discriminator_learns_to_tell_true_from_drawn():
    one = adversary(replace(CONFIG, discriminator_learning_rate=3e-3))
    true, drawn = torch.rand(4, 3, *SIZE) * 0.5 + 0.5, torch.rand(4, 3, *SIZE) * 0.5
    heard = [float(one.learn(drawn, true, alone, step=0)) for _ in range(20)]
    assert heard[-1] < 0.1 * heard[0]
    assert one.discriminator(true).mean() > 0.7
    assert one.discriminator(drawn).mean() < 0.3
    assert one.loss(drawn) > one.loss(true), "what is taken for true costs the model less"


def test_the_model_hears_the_discriminator_and_the_discriminator_not_the_model():
    one = adversary()
    drawn = torch.rand(2, 3, *SIZE, requires_grad=True)
    one.learn(drawn, torch.rand(2, 3, *SIZE), alone, step=7)
    assert drawn.grad is None
    before = [weight.clone() for weight in one.parameters()]
    one.loss(drawn).backward()
    assert drawn.grad is not None
    assert drawn.grad.abs().sum() > 0
    assert all(torch.equal(a, b) for a, b in zip(before, one.parameters(), strict=True))
    assert not any(weight.requires_grad for weight in one.parameters()), "Lightning's optimiser has none of them"


def test_a_loss_that_is_no_number_changes_no_weight():
    one = adversary()
    before = [weight.clone() for weight in one.parameters()]
    with pytest.raises(UserError, match=r"discriminator's loss is .* at step 7.*discriminator_learning_rate"):
        one.learn(torch.full((2, 3, *SIZE), torch.nan), torch.rand(2, 3, *SIZE), alone, step=7)
    assert all(torch.equal(a, b) for a, b in zip(before, one.parameters(), strict=True))


def test_its_optimiser_goes_on_where_it_stopped():
    drawn, true = torch.rand(2, 3, *SIZE), torch.rand(2, 3, *SIZE)
    whole, broken = adversary(), adversary()
    for one in (whole, broken):
        one.learn(drawn, true, alone, step=0)
    again = Adversary(SIZE, CONFIG)
    again.load_state_dict(broken.state_dict())
    again.begin(broken.state)
    for one in (whole, again):
        one.learn(drawn, true, alone, step=0)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))
