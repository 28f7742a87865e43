"""Several regularizers in one method: what they declare together, and that each does what it does alone."""

import functools

import numpy as np
import pytest
import tensorflow as tf
import yaml
from test_training import DATA, settings

from regatlas import registry
from regatlas.combination import combined
from regatlas.errors import UserError
from regatlas.networks import initial
from regatlas.regularizers.base import Task, Unsuitable
from regatlas.study import resolve
from regatlas.training import Trainer

ROOT = registry.LIBRARY.parents[2]
METHOD = {"regularizer": ["dropout", "l2"], "keep_probability": 0.8, "strength": 0.001}


def method(given, **training):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["methods"]["mine"] = given
    config["training"] |= training
    study = resolve(config | {"compare": ["none", "mine"]})
    return study.methods[1], study.config["methods"]["mine"]


def make(**chosen):
    """Regularizers by name, with their defaults but for what is chosen."""
    parts = []
    for name, own in chosen.items():
        declared = registry.declaration(name, registry.available()[name])
        parts.append(registry.load(declared.path, declared.class_name)(**declared.resolve(own, name)))
    return parts


@functools.cache
def trained(*names, **recipe):
    """A run of regularizers with their defaults."""
    return Trainer(settings(**recipe), DATA, *make(**{name: {} for name in names})).run(0).arrays


def test_settings_are_each_ones_own_and_the_resolved_config_resolves_to_the_same():
    found, shown = method(METHOD)
    assert found.regularizer == "dropout+l2"
    chosen = found.settings["regularizer"]["settings"]
    assert chosen["keep_probability"] == 0.8 and chosen["strength"] == 0.001
    parts = found.declaration.parts
    assert registry.settings_of(parts[1], parts, chosen) == {"strength": 0.001}
    assert method(shown)[0].digest == found.digest
    assert method(METHOD | {"regularizer": ["l2", "dropout"]})[0].digest != found.digest
    assert method({"regularizer": ["l2"]})[0].digest == method({"regularizer": "l2"})[0].digest


def test_a_setting_of_two_is_written_with_its_regularizer():
    found, _ = method({"regularizer": ["l2", "l1"], "l2.strength": 0.5})
    assert found.settings["regularizer"]["settings"]["l2.strength"] == 0.5
    with pytest.raises(UserError, match=r"methods.mine.strength: regularizer 'l2\+l1' has no such .*l2.strength"):
        method({"regularizer": ["l2", "l1"], "strength": 0.5})
    with pytest.raises(UserError, match=r"methods.mine.l2.strength: found -1"):
        method({"regularizer": ["l2", "l1"], "l2.strength": -1})


def test_a_grid_over_a_combination():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["methods"]["mine"] = METHOD | {"strength": [0.1, 0.2]}
    config |= {"compare": ["none", "mine"], "tuning": {"unequal": True}}
    found = resolve(config).methods[1]
    assert [point.settings["regularizer"]["settings"]["strength"] for point in found.points] == [0.1, 0.2]


@pytest.mark.parametrize("name", ["l2", "dropout", "gaussian"])
@pytest.mark.parametrize("first", [True, False])
def test_with_one_that_does_nothing_the_other_is_as_alone(name, first):
    together = trained("none", name) if first else trained(name, "none")
    np.testing.assert_array_equal(together["kernel_0"], trained(name)["kernel_0"])


def test_each_of_three_acts():
    parts = {"label_smoothing": {"amount": 0.2}, "max_norm": {"limit": 0.5}, "ema": {"decay": 0.5}}
    recipe = settings(loss="cross_entropy", learning_rate=0.1)
    trainer, states = Trainer(recipe, DATA, *make(**parts)), []
    run = trainer.run(0, save=lambda state: states.append(state()))
    kernel = run.arrays["kernel_0"]
    assert np.linalg.norm(kernel, axis=0).max() <= 0.5 + 1e-5
    for name in parts:
        others = {other: own for other, own in parts.items() if other != name}
        without = Trainer(recipe, DATA, *make(**others)).run(0)
        assert not np.allclose(without.arrays["kernel_0"], kernel, atol=1e-3), name
    again = trainer.run(0, saved=states[2])
    for name, array in run.arrays.items():
        assert again.arrays[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("average", [{"ema": {}}, {"swa": {"begin": 0.0, "every": 1}}])
def test_an_average_and_batch_norm_keep_their_own_in_either_order(average):
    """The average has the means of what is trained, batch norm its running ones, and neither knows the other's."""
    recipe, own = settings({"hidden": [5]}), {"batch_norm": {}}
    first, second, alone = (
        Trainer(recipe, DATA, *make(**parts)).run(0).arrays for parts in (own | average, average | own, own)
    )
    assert "trained_running_mean_0" in first
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array, err_msg=name)
    np.testing.assert_array_equal(first["trained_running_mean_0"], alone["trained_running_mean_0"])
    assert not np.allclose(first["kernel_0"], alone["kernel_0"], atol=1e-6)


def test_images_of_one_are_distorted_by_the_next():
    image_shape, images = (3, 4), tf.constant(DATA["train_images"][:5])
    both = combined(make(shifts={}, elastic={"alpha": 0.0}, affine={"rotation": 40.0}))
    both.task = Task(((3, 12),), image_shape, 3, 42, 5, 35)
    noise = [tf.constant([[1, -1]] * 5), None, tf.constant([[1.0, 0.5, 0.0, 0.0, 0.5]] * 5)]
    shifted, turned, found = (
        tf.function(hook, jit_compile=True) for hook in (both.parts[0].images, both.parts[2].images, both.images)
    )
    np.testing.assert_array_equal(found(images, noise), turned(shifted(images, noise[0]), noise[2]))
    assert len({value.numpy().tobytes() for value in (found(images, noise), shifted(images, noise[0]), images)}) == 3


def test_gradients_of_one_are_taken_around_those_of_the_other():
    """Clipping after SAM: SAM's gradient at the moved weights, clipped."""
    both = combined(make(sam={"rho": 0.5}, gradient_clipping={"limit": 0.1}))
    at = {"kernel_0": tf.constant([[3.0, 4.0]])}
    seen = []

    def compute(variables):
        seen.append(variables["kernel_0"].numpy())
        return {"kernel_0": 2 * variables["kernel_0"]}

    gradient = both.gradients(compute, at, [None, None])["kernel_0"].numpy()
    np.testing.assert_allclose(seen[1], [[3.3, 4.4]], rtol=1e-5)
    np.testing.assert_allclose(gradient, 0.1 * np.array([[0.6, 0.8]]), rtol=1e-5)


def test_the_shortest_patience_counts():
    assert combined(make(early_stopping={"patience": 7}, l2={})).patience == 7
    assert combined(make(none={}, l2={})).patience is None


def test_noise_that_stays_on_in_evaluation_cannot_be_combined():
    with pytest.raises(Unsuitable, match="Dropout: its noise cannot stay on in evaluation"):
        combined(make(dropout={"active_at_test": True}, l2={}))


def test_two_that_train_a_variable_of_one_name_cannot_be_combined():
    network = initial({"hidden": [5], "bias": True, "initial_stddev": 0.1}, 12, 3, 0)
    start = {f"kernel_{layer}": kernel for layer, kernel in enumerate(network.kernels)}
    for first, second, name in [
        ("gaussian", "adaptive_weight_noise", "log_sigma_[01]"),
        ("batch_norm", "layer_norm", "s(cale|hift)_0"),
        ("layer_norm", "layer_norm", "s(cale|hift)_0"),
    ]:
        both = combined([*make(**{first: {}}), *make(l2={}), *make(**{second: {}})])
        both.task = Task(((5, 12), (3, 5)), (3, 4), 3, 42, 4, 35)
        titles = f"{both.parts[0].title} and {both.parts[2].title}"
        with pytest.raises(Unsuitable, match=f"{titles} cannot act together: both train '{name}'"):
            both.variables(start)
    apart = combined(make(weight_normalization={}, layer_norm={}, gaussian={}))
    apart.task = both.task
    assert {name[:-2] for name in apart.variables(start)} == {"kernel", "gain", "scale", "shift", "log_sigma"}


def test_epochs_are_steps():
    found, _ = method({"regularizer": "none"}, epochs=3, batch_size=100, train_size=1050)
    assert found.settings["training"]["steps"] == 30 and "epochs" not in found.settings["training"]
    own, shown = method({"regularizer": "none", "training": {"epochs": 2}}, batch_size=100, train_size=1050)
    assert own.settings["training"]["steps"] == 20 and shown["training"] == {"epochs": 2}
    assert method({"regularizer": "none", "training": {"steps": 7}}, epochs=3)[0].settings["training"]["steps"] == 7
    assert own.digest == method({"regularizer": "none"}, steps=20, batch_size=100, train_size=1050)[0].digest
    with pytest.raises(UserError, match=r"training.epochs: 1000000 are 1,718,000,000 steps, allowed are at most"):
        method({"regularizer": "none"}, epochs=1_000_000)
