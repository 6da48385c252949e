from __future__ import annotations

import dataclasses

import pytest

from lipbench.benchmarks.cli import verbs
from lipbench.benchmarks.cli.verbs.evaluate import EvaluateRequest
from lipbench.benchmarks.cli.verbs.generate import GenerateRequest
from lipbench.benchmarks.cli.verbs.train import TrainRequest
from lipbench.benchmarks.config.composition import config_groups
from lipbench.benchmarks.config.requests import BenchRequest
from lipbench.errors import UserError
from lipbench.training.config import TrainingConfig
from lipbench.training.naming import training_config, training_name

NEEDED = {
    "prepare": ["root=x"],
    "report": ["run=x"],
    "compare": ["a=x", "b=y"],
    "generate": ["text=hi", "identity=x.png"],
}


@pytest.mark.parametrize("verb", verbs.verbs())
def test_every_verbs_defaults_are_valid(verb):
    assert isinstance(verbs.request(verb, NEEDED.get(verb, [])), verbs.get(verb).request)


def test_overrides_reach_the_request():
    asked = verbs.request("bench", ["corpus=grid", "frames=[5,7]", "models=hh_t2l", "training.steps=9", "limit=3"])
    assert isinstance(asked, BenchRequest)
    assert asked.corpus.name == "grid"
    assert asked.corpus.options == {"store": "prepared/grid"}
    assert asked.frames == [5, 7]
    assert asked.models == ["hh_t2l"]
    assert asked.training["steps"] == 9
    assert asked.limit == 3


def test_a_models_own_options_need_no_plus_sign():
    asked = verbs.request("train", ["options.hidden=64"])
    assert isinstance(asked, TrainRequest)
    assert asked.options == {"hidden": 64}


@pytest.mark.parametrize("value", ["true", "'true'", "[true,predicted]"])
def test_true_durations_may_be_written_plainly(value):
    asked = verbs.request("evaluate", [f"durations={value}"])
    assert isinstance(asked, EvaluateRequest)
    assert asked.durations[0] == "true"


@pytest.mark.parametrize(
    "text", ["bin blue at f two now", "don't, stop!", "a=b", "say: {it} [now]", "", "null", "cost ${x}", "'a' or 'b'"]
)
def test_any_text_may_be_said(text):
    asked = verbs.request("generate", [f"text={text}", "identity=x.png"])
    assert isinstance(asked, GenerateRequest)
    assert asked.text == text


@pytest.mark.parametrize(
    ("verb", "words", "says"),
    [
        ("train", ["modle=x"], "train has no option 'modle'. Did you mean 'model'"),
        ("train", ["training.stepz=3"], "'training.stepz'. Did you mean 'training.steps'"),
        ("train", ["corpus=gird"], "no corpus named 'gird'. Did you mean 'grid'"),
        ("train", ["training=smal"], "Did you mean 'small'"),
        ("train", ["corpus.trian=3"], "Did you mean 'corpus.train'"),
        ("report", [], "report needs run"),
        ("evaluate", ["limit=0"], "limit=0"),
        ("evaluate", ["batch=many"], "batch='many'"),
        ("evaluate", ["durations=guessed"], "durations"),
        ("bench", ["frames=[]"], "frames"),
        ("bench", ["models=[]"], "models"),
        ("train", ["out='${foo}'"], "foo"),
        ("train", ["device=tpu"], "device='tpu'"),
        ("train", ["steps"], "'steps' is not understood"),
        ("train", ["preset=[unclosed"], "not understood"),
    ],
)
def test_words_that_fit_nothing_are_errors_that_name_the_way_out(verb, words, says):
    with pytest.raises(UserError) as caught:
        verbs.request(verb, words)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_base_recipe_in_conf_is_that_of_the_code():
    asked = verbs.request("train", ["training=base"])
    assert isinstance(asked, TrainRequest)
    assert asked.training == dataclasses.asdict(TrainingConfig())


@pytest.mark.parametrize("recipe", config_groups()["training"])
def test_every_recipe_is_valid(recipe):
    asked = verbs.request("train", [f"training={recipe}"])
    assert isinstance(asked, TrainRequest)
    assert training_config(asked.training).steps > 0


@pytest.mark.parametrize("losses", config_groups()["losses"])
def test_any_losses_go_with_any_recipe(losses):
    for recipe in config_groups()["training"]:
        asked = verbs.request("train", [f"training={recipe}", f"losses={losses}"])
        assert isinstance(asked, TrainRequest)
        made = training_config(asked.training)
        assert made.losses == losses
        assert made.weight_adversarial == (5.0 if "adv" in losses else 0.0), "as in the paper, section 4.3"


def test_the_papers_recipe_is_the_papers():
    asked = verbs.request("train", ["training=paper"])
    assert isinstance(asked, TrainRequest)
    made = training_config(asked.training)
    weights = (made.weight_l1, made.weight_duration, made.weight_ssim, made.weight_adversarial)
    assert weights == (1, 1, 1, 5)
    assert (made.steps, made.clips, made.schedule) == (110_000, 4, "constant")
    assert (made.learning_rate, made.discriminator_learning_rate) == (1e-3, 1e-4)
    # all frames, any of them as the identity, and nothing that the paper does not name
    assert (made.frames_per_clip, made.identity, made.excerpts) == (10_000, "any", 0)
    assert (made.optimizer, made.clip_norm, made.weight_decay, made.duration_loss) == ("adam", 0, 0, "linear")


def test_the_public_codes_recipe_is_the_public_codes():
    asked = verbs.request("train", ["training=paralip"])
    assert isinstance(asked, TrainRequest)
    made = training_config(asked.training)
    assert (made.optimizer, made.beta1, made.beta2, made.weight_decay) == ("adamw", 0.9, 0.98, 0)
    assert (made.schedule, made.warmup, made.clip_norm, made.duration_loss) == ("inverse_sqrt", 2000, 1, "log")
    # 0.5 / sqrt(2000 * 256), what its schedule reaches at step 2000
    assert made.learning_rate == pytest.approx(0.5 / (2000 * 256) ** 0.5, rel=1e-4)


def test_trainings_with_other_losses_have_other_names():
    names = {
        training_name("hh_t2l", "small", training_config(asked_losses(name))) for name in config_groups()["losses"]
    }
    assert names == {"hh_t2l-small", "hh_t2l-small-base", "hh_t2l-small-adv", "hh_t2l-small-ssim_adv"}


def asked_losses(name):
    asked = verbs.request("train", [f"losses={name}"])
    assert isinstance(asked, TrainRequest)
    return asked.training


@pytest.mark.parametrize("name", ["a/b", "../up", "''"])
def test_a_trainings_name_is_no_path(name):
    with pytest.raises(UserError, match="name"):
        verbs.request("train", [f"name={name}"])


@pytest.mark.parametrize(("name", "value"), [("steps", "abc"), ("steps", 0), ("learning_rate", "fast"), ("seed", None)])
def test_recipes_with_wrong_values_are_refused(name, value):
    with pytest.raises(UserError, match=name):
        training_config({name: value})
