import pytest

from lipbench.benchmarks.cli.verbs import request
from lipbench.benchmarks.cli.verbs.evaluate import EvaluateRequest
from lipbench.benchmarks.cli.verbs.train import TrainRequest
from lipbench.benchmarks.config.composition import quote_value, split_words, sweep_commands
from lipbench.errors import UserError


def test_a_sweep_is_every_combination_of_its_values():
    assert sweep_commands(
        "train", TrainRequest, ["model=hh_t2l,dual_lip", "preset=tiny", "training.seed=range(1,3)"]
    ) == [
        ("model=hh_t2l", "preset=tiny", "training.seed=1"),
        ("model=hh_t2l", "preset=tiny", "training.seed=2"),
        ("model=dual_lip", "preset=tiny", "training.seed=1"),
        ("model=dual_lip", "preset=tiny", "training.seed=2"),
    ]


def test_a_list_is_one_value():
    assert sweep_commands("evaluate", EvaluateRequest, ["metrics=[psnr,ssim],[lmd]"]) == [
        ("metrics=[psnr,ssim]",),
        ("metrics=[lmd]",),
    ]


def test_all_files_of_a_group_can_be_swept():
    found = {word for (word,) in sweep_commands("train", TrainRequest, ["losses=glob(*)"])}
    assert found == {"losses=adv", "losses=base", "losses=ssim", "losses=ssim_adv"}


@pytest.mark.parametrize(
    ("word", "paths"),
    [
        ("out=a/b,c", ["a/b", "c"]),
        ("out='a,b'", ["a,b"]),
        (r"out='it\'s','a b'", ["it's", "a b"]),
        (r"out='back\slash\\'", ["back\\slash\\"]),
    ],
)
def test_a_path_reaches_its_job_whole(word, paths):
    asked = [request("train", job).out for job in sweep_commands("train", TrainRequest, [word])]
    assert [str(path) for path in asked] == paths


def test_a_name_may_say_what_tells_the_jobs_apart():
    words = ["name=${model}-s${training.seed}", "training.seed=1,2", "options.hidden=64"]
    requests = [request("train", job) for job in sweep_commands("train", TrainRequest, words)]
    assert [request.name for request in requests] == ["hh_t2l-s1", "hh_t2l-s2"]
    assert all(request.options == {"hidden": 64} for request in requests)


@pytest.mark.parametrize("word", ["model=[unclosed", "training.learning_rate=interval(0,1)", "preset"])
def test_a_sweep_that_is_none_is_one_clear_error(word):
    with pytest.raises(UserError, match="not understood"):
        sweep_commands("train", TrainRequest, [word])


def test_words_for_hydra_itself_are_told_from_a_commands_own():
    own, hydras = split_words(["model=x", "hydra/launcher=joblib", "+hydra.launcher.n_jobs=2", "out=hydra.d"])
    assert own == ["model=x", "out=hydra.d"]
    assert hydras == ["hydra/launcher=joblib", "+hydra.launcher.n_jobs=2"]


def test_a_quoted_text_has_its_quotes_and_closing_backslashes_escaped():
    assert quote_value("it's") == r"'it\'s'"
    assert quote_value("C:\\") == r"'C:\\'"
