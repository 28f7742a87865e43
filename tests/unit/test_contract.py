"""What every regularizer of the library must do, whatever it does: one suite over all of them.

A method is trained once with a hidden layer, once without, and once turned off if it can be (``off`` of its settings,
see ``regularizers/base.py``). All tests of a method look at these trainers: compiling one takes a second.
"""

import ast
import functools
import inspect
import json
import math

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from regatlas import fingerprint, registry
from regatlas.errors import UserError
from regatlas.randomness import key_of
from regatlas.regularizers.base import Regularizer
from regatlas.report import formulas
from regatlas.training import AT_ONCE, Trainer

LIBRARY = registry.available()
DECLARED = {name: registry.declaration(name, path) for name, path in LIBRARY.items()}
OFF = {
    name: {key: setting.off for key, setting in declared.settings.items() if setting.off is not None}
    for name, declared in DECLARED.items()
}
CAN_BE_OFF = [name for name in LIBRARY if OFF[name]]
WITHOUT_HIDDEN = [name for name in LIBRARY if "needs_hidden" not in DECLARED[name].needs]
SIDE, CLASSES, STEPS = 6, 4, 200


def prepared():
    """Images of four patterns in noise, 6 x 6 pixels."""
    rng = np.random.default_rng(3)
    patterns = rng.integers(0, 256, (CLASSES, SIDE * SIDE))
    data = {"image_shape": np.array([SIDE, SIDE]), "classes": np.array(CLASSES)}
    for part, count in (("train", 60), ("validation", 30), ("test", 40)):
        labels = rng.integers(0, CLASSES, count).astype(np.uint8)
        images = np.clip(patterns[labels] + rng.normal(0, 90, (count, SIDE * SIDE)), 0, 255)
        data |= {f"{part}_images": images.astype(np.uint8), f"{part}_labels": labels}
    worse = {"corrupted_images": data["test_images"][None, None, :10], "corrupted_labels": data["test_labels"][:10]}
    return data | worse


DATA = prepared()


def trainer(name, hidden, **changed):
    network = {"hidden": hidden, "bias": True, "initial_stddev": 0.2}
    recipe = {"loss": "cross_entropy", "optimizer": "adam", "momentum": 0.9, "learning_rate": 0.01, "steps": STEPS}
    recipe |= {"permuted_pixels": False, "label_noise": 0.0}
    recipe |= {"schedule": "constant", "batch_size": 8, "evaluate_every": 150, "train_size": 60}
    kind = registry.load(LIBRARY[name], DECLARED[name].class_name)
    return Trainer({"network": network, "training": recipe}, DATA, kind(**DECLARED[name].resolve(changed, name)))


def without_evaluation(one):
    """The trainer with no graph to evaluate in: half the time to compile."""
    shape = [one.chunks * AT_ONCE, CLASSES]
    one.logits = dict.fromkeys(one.logits, lambda *_: (np.zeros(shape, np.float32), np.zeros(shape[0], np.int32)))
    return one


@functools.cache
def trained(name):
    """A trainer with a hidden layer, its first run, and the state it saved on the way."""
    states, one = [], trainer(name, [5])
    run = one.run(0, save=lambda state: states.append(state()))
    return one, run, next(state for state in states if 1 < state["step"] < STEPS)


@functools.cache
def unregularized(hidden):
    return without_evaluation(trainer("none", [*hidden])).run(0)


def same(run, other):
    assert run.arrays.keys() == other.arrays.keys()
    for name, array in other.arrays.items():
        assert run.arrays[name].tobytes() == array.tobytes(), name
    assert run.metrics == other.metrics


@pytest.mark.parametrize("name", LIBRARY)
def test_it_declares_what_a_reader_needs(name):
    declared = DECLARED[name]
    assert declared.acts_on in registry.PLACES
    assert "<svg" in formulas.svg(declared.formula)  # and not the LaTeX itself
    assert declared.title and (declared.citation or name == "none")
    idea = ast.get_docstring(ast.parse(LIBRARY[name].read_text(encoding="utf-8"))).splitlines()[0]
    assert idea.endswith(".") and len(idea) < 120
    assert all(setting.doc for setting in declared.settings.values())


@pytest.mark.parametrize("name", LIBRARY)
def test_its_settings_survive_json_and_keep_their_limits(name):
    declared = DECLARED[name]
    resolved = declared.resolve({}, name)
    again = declared.resolve(json.loads(fingerprint.canonical(resolved)), name)
    assert (again, [*map(type, again.values())]) == (resolved, [*map(type, resolved.values())])
    for key, setting in declared.settings.items():
        beyond = [limit - 1 for limit in (setting.low, setting.above) if limit is not None]
        beyond += [limit + 1 for limit in (setting.high, setting.below) if limit is not None]
        beyond += [limit for limit in (setting.above, setting.below) if limit is not None]
        beyond += ["no such word", None] if isinstance(setting.default, str) and setting.choices else [[]]
        for value in beyond:
            with pytest.raises(UserError, match=f"^{name}.{key}: found "):
                declared.resolve({key: value}, name)
        for value in (setting.low, setting.high, setting.off, *setting.choices):
            if value is not None:
                assert declared.resolve({key: value}, name)[key] == value


@pytest.mark.parametrize("name", LIBRARY)
def test_its_hooks_are_those_of_the_interface(name):
    kind = registry.load(LIBRARY[name], DECLARED[name].class_name)
    own = {key: value for key, value in vars(kind).items() if inspect.isfunction(value) and not key.startswith("_")}
    for key, hook in own.items():
        assert list(inspect.signature(hook).parameters) == list(inspect.signature(vars(Regularizer)[key]).parameters)


@pytest.mark.parametrize(
    "name", [n for n in LIBRARY if any(key in DECLARED[n].settings for key in ("strength", "rate"))]
)
def test_what_has_a_strength_can_be_off(name):
    assert name in CAN_BE_OFF


@pytest.mark.parametrize("name", LIBRARY)
def test_it_trains_and_stays_finite(name):
    run = trained(name)[1]
    assert (run.status, run.steps_done) == ("finished", STEPS)
    assert all(np.isfinite(array).all() for array in run.arrays.values())
    assert all(math.isfinite(value) for value in run.metrics.values())
    assert [run.arrays[f"kernel_{layer}"].shape for layer in (0, 1)] == [(36, 5), (5, 4)]
    start = trained(name)[0].start(0)
    assert {value.dtype for value in start["variables"].values()} == {tf.float32}
    assert run.parameters == sum(math.prod(value.shape) for value in start["variables"].values())
    assert (run.arrays["kernel_0"] != np.transpose(start["variables"]["kernel_0"])).any()


@pytest.mark.parametrize("name", LIBRARY)
def test_a_seed_gives_the_same_bytes_before_and_after_another_seed(name):
    one, first, _ = trained(name)
    assert one.run(1).arrays["kernel_0"].tobytes() != first.arrays["kernel_0"].tobytes()
    same(one.run(0), first)


@pytest.mark.parametrize("name", LIBRARY)
def test_labels_of_the_test_images_change_nothing_but_test_results(name, monkeypatch):
    """Neither a weight, nor when it stops, nor which evaluation counts, nor anything that selects."""
    one, run, _ = trained(name)
    wrong = (run.arrays["test_predicted"] + 1) % CLASSES
    monkeypatch.setattr(one, "data", DATA | {"test_labels": wrong.astype(DATA["test_labels"].dtype)})
    other = one.run(0)
    assert other.metrics["test_accuracy"] != run.metrics["test_accuracy"]
    assert other.steps_done == run.steps_done
    for key in run.metrics:
        assert key.startswith("test") or other.metrics[key] == run.metrics[key], key
    for key in [key for key in run.arrays if not key.startswith(("test", "curve_test"))]:
        assert other.arrays[key].tobytes() == run.arrays[key].tobytes(), key


@pytest.mark.parametrize("name", LIBRARY)
def test_it_goes_on_from_a_saved_state_with_the_same_bytes(name):
    one, run, state = trained(name)
    assert state["step"] == 150
    same(one.run(0, saved=state), run)


@pytest.mark.parametrize("name", LIBRARY)
def test_evaluation_without_noise_is_the_same_twice_and_what_the_runs_arrays_do(name):
    one, run, state = trained(name)
    assert one.regularizer.noise_in_evaluation is False
    start = one.start(0)
    leaves = [tf.constant(state[f"state_{place}"]) for place in range(len(tf.nest.flatten(start)))]
    state = tf.nest.pack_sequence_as(start, leaves)
    images = next(one.groups["curve"]())
    first, again = (one.logits[False](state, images, tf.constant(key_of(s)), tf.constant(s, tf.int64)) for s in (0, 7))
    assert_array_equal(first[0], again[0])
    logits = forward(DATA["test_images"] / 255, {key: value.astype(float) for key, value in run.arrays.items()})
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert_allclose(run.arrays["test_confidence"], p.max(1), rtol=1e-4)
    assert_allclose(run.arrays["test_probability"], p[np.arange(40), DATA["test_labels"]], rtol=1e-3, atol=1e-6)
    assert_array_equal(run.arrays["test_predicted"], run.arrays["test_predicted_noise_off"])


def forward(x, arrays):
    """Logits by the arrays of a run: affine layers with ReLU between, normalized where the run says how."""
    for layer in (0, 1):
        x = x @ arrays[f"kernel_{layer}"] + arrays[f"bias_{layer}"]
        if layer == 1:
            return x
        if f"trained_scale_{layer}" in arrays:
            mean = arrays.get(f"trained_running_mean_{layer}", x.mean(1, keepdims=True))
            variance = arrays.get(f"trained_running_variance_{layer}", x.var(1, keepdims=True))
            x = (x - mean) / np.sqrt(variance + 1e-3) * arrays[f"trained_scale_{layer}"] + arrays[
                f"trained_shift_{layer}"
            ]
        x = np.maximum(x, 0)


@pytest.mark.parametrize("name", WITHOUT_HIDDEN)
def test_it_works_without_hidden_layers(name):
    run = without_evaluation(trainer(name, [])).run(0)
    assert (run.status, run.arrays["kernel_0"].shape) == ("finished", (36, 4))
    assert all(np.isfinite(array).all() for array in run.arrays.values())


@pytest.mark.parametrize("name", CAN_BE_OFF)
def test_turned_off_it_is_no_regularization(name):
    hidden = (5,) if DECLARED[name].acts_on == "activations" else ()
    run, none = without_evaluation(trainer(name, [*hidden], **OFF[name])).run(0), unregularized(hidden)
    for key in [key for key in none.arrays if key.startswith(("kernel", "bias", "curve"))]:
        assert_allclose(run.arrays[key], none.arrays[key], rtol=1e-3, atol=1e-4, err_msg=key)
