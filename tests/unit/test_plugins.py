"""A plugin that breaks a rule: one message with file, line and rule, while planning or while the graph is traced."""

import re
from pathlib import Path

import numpy as np
import pytest

from regatlas import plugins, registry
from regatlas.errors import UserError
from regatlas.regularizers.base import Unsuitable
from regatlas.training import Trainer

HEAD = """import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting


class Mine(Regularizer):
    title = "Mine"

"""
LINE = HEAD.count("\n") + 1  # the first line of a hook
RNG = np.random.default_rng(0)
DATA = {"image_shape": np.array([2, 3]), "classes": np.array(3)} | {
    f"{part}_{kind}": RNG.integers(0, limit, shape).astype(np.uint8)
    for part in ("train", "validation", "test")
    for kind, limit, shape in (("images", 256, (20, 6)), ("labels", 3, 20))
}
DATA |= {"corrupted_images": DATA["test_images"][None, None], "corrupted_labels": DATA["test_labels"]}
SETTINGS = {
    "network": {"hidden": [4], "bias": True, "initial_stddev": 0.1},
    "training": {
        "loss": "cross_entropy", "optimizer": "adam", "momentum": 0.9, "schedule": "constant", "learning_rate": 0.01,
        "batch_size": 5, "steps": 3, "evaluate_every": 3, "train_size": 20, "label_noise": 0.0,
        "permuted_pixels": False,
    },
}  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    """Writes a plugin with the lines of a hook and makes its trainer."""

    def make(hook):
        path = tmp_path / "mine.py"
        path.write_text(HEAD + "\n".join(f"    {line}" for line in hook.split("\n")) + "\n")
        kind = registry.load(path, registry.declaration("mine", path).class_name)
        return Trainer(SETTINGS, DATA, kind())

    return make


def refused(line, *parts):
    return pytest.raises(UserError, match="(?s)" + ".*".join(map(re.escape, [f"mine.py, line {line}: ", *parts])))


@pytest.mark.parametrize(
    ("hook", "parts"),
    [
        (
            "def penalty(self, variables): pass",
            ["penalty must take (self, variables, parameters, logits)", "found (self, v"],
        ),
        ("def gradients(self, compute, variables, noise, more): pass", ["gradients must take", "noise, more)"]),
        ("def examples(self, x, y, *, noise): pass", ["examples must take (self, x, y, noise)"]),
        ("@staticmethod\ndef penalty(variables, parameters, logits): pass", ["be a plain method"]),
        ("async def penalty(self, variables, parameters, logits): pass", ["be a plain method"]),
        ("def gradient(self, compute, variables, noise): pass", ["gradient is no hook (did you mean 'gradients'?)"]),
        ("def after_updates(self, variables, rate): pass", ["after_updates is no hook (did you mean 'after_update'?)"]),
        ("def penalties(self, v, p, l): pass", ["penalties is no hook (did you mean 'penalty'?)"]),
        ("noise = Setting(0.1, low=0.0)", ["a setting may not be called noise"]),
    ],
)
def test_a_declaration_that_breaks_the_interface_is_refused_while_planning(mine, hook, parts):
    with refused(LINE + hook.startswith("@"), *parts):
        mine(hook)


@pytest.mark.parametrize(
    "hook",
    [
        "def penalty(self, *arguments): return 0.0",
        "def penalty(self, variables, parameters, logits, more=1): return None",
        "def penalty(self, v, p, l): return 0.1 * tf.add_n([tf.nn.l2_loss(k) for k in p.kernels])",
        "def _gradient(self, x): pass\npatience = 9",
        "def penalty(self, v, p, l): return 1",
        "def noise(self, random, first_step, steps, batch): return {'a': random.normal([steps, 2]), 'b': None}",
        "def parameters(self, parameters, variables, noise): return Parameters(*map(list, parameters))",
    ],
)
def test_hooks_that_keep_the_rules_train(mine, hook):
    assert mine(hook).run(0).status == "finished"


def test_inputs_of_a_plugin_are_those_of_every_evaluation(mine):
    """With the noise off, too: by hand from the weights that are kept."""
    trainer = mine("def inputs(self, pixels, noise): return 1 - tf.cast(pixels, tf.float32) / 255")
    run = trainer.run(0)
    hidden = np.maximum((1 - DATA["test_images"] / 255) @ run.arrays["kernel_0"] + run.arrays["bias_0"], 0)
    logits = hidden @ run.arrays["kernel_1"] + run.arrays["bias_1"]
    np.testing.assert_array_equal(run.arrays["test_predicted"], logits.argmax(1))
    powers = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(run.arrays["test_confidence"], (powers / powers.sum(1, keepdims=True)).max(1), rtol=1e-5)


@pytest.mark.parametrize(
    ("hook", "parts"),
    [
        (
            "def variables(self, network): return {'kernel_0': network['kernel_0']}",
            ["variables must return float32 arrays by name, with {kernel_0: float32 [4, 6]", "found {kernel_0"],
        ),
        (
            "def variables(self, network): return network | {'a': 1.0}",
            ["variables must return float32 arrays", "a: 1.0}"],
        ),
        ("def buffers(self, variables): return [1]", ["buffers must return a mapping", "found [1]"]),
        (
            "def noise(self, random, first_step, steps, batch): return random.normal([batch, 6])",
            ["noise must return None or tensors [steps, ...], here with 20 steps", "found float32 [5, 6]"],
        ),
        (
            "def images(self, pixels, noise): return pixels / 255",
            ["images must return uint8 [5, 6], found float32 [5, 6]"],
        ),
        ("def inputs(self, pixels, noise): return pixels", ["inputs must return float32 [5, 6], found uint8 [5, 6]"]),
        ("def examples(self, x, y, noise): return x", ["examples must return a pair", "found float32 [5, 6]"]),
        ("def examples(self, x, y, noise): return y, x", ["(float32 [5, 6], float32 [5, 3]), found (float32 [5, 3]"]),
        (
            "def parameters(self, parameters, variables, noise): return parameters.kernels",
            [
                "parameters must return Parameters(kernels, biases)",
                "float32 [4, 6], float32 [3, 4]",
                "found [<tf.Tensor",
            ],
        ),
        (
            "def parameters(self, p, v, n): return Parameters([tf.transpose(k) for k in p.kernels], p.biases)",
            ["parameters must return", "found Parameters((float32 [6, 4], float32 [4, 3])"],
        ),
        ("def preactivations(self, h, l, v, b): return h[0]", ["preactivations must return float32 [5, 4]", "[4]"]),
        ("def activations(self, h, l, n): tf.nn.relu(h)", ["activations must return float32 [5, 4], found nothing"]),
        ("def penalty(self, v, p, l): return l", ["penalty must return one number", "found float32 [5, 3]"]),
        ("def penalty(self, v, p, l): return tf.cast(l[0, 0], tf.float64)", ["a float32 tensor", "found float64 []"]),
        ("def penalty(self, v, p, l): return tf.constant(1)", ["a float32 tensor", "found int32 []"]),
        ("def loss(self, compute, x, v, n): return tf.cast(compute(x), tf.float16)", ["a float32", "found float16 []"]),
        (
            "def loss(self, compute, x, v, n): return tf.reshape(compute(x), tf.range(tf.cast(compute(x), tf.int32)))",
            ["loss must return one number", "found float32 of a shape that is not known"],
        ),
        (
            "def gradients(self, compute, v, n): compute(v)",
            ["gradients must return {kernel_0: float32", "found nothing"],
        ),
        (
            "def gradients(self, compute, v, n): return {k: g for k, g in compute(v).items() if k != 'bias_0'}",
            ["gradients must return {kernel_0: float32 [4, 6]", "found {kernel_0"],
        ),
        (
            "def after_update(self, v, rate): return {n: tf.cast(x, tf.float64) for n, x in v.items()}",
            ["after_update must return {kernel_0: float32", "found {kernel_0: float64 [4, 6]"],
        ),
        (
            "def after_step(self, b, v, step): return {'more': step}",
            ["after_step must return {}, found {more: int64 []}"],
        ),
        ("def evaluated(self, variables, buffers): return buffers", ["evaluated must return {kernel_0", "found {}"]),
    ],
)
def test_a_hook_that_returns_something_else_is_named_with_what_is_wanted(mine, hook, parts):
    with refused(LINE, *parts):
        mine(hook).run(0)


@pytest.mark.parametrize(
    ("hook", "parts"),
    [
        ("def penalty(self, v, p, l):\n    return self.strenght * 2", ["AttributeError", "strenght"]),
        ("def examples(self, x, y, n):\n    return tf.matmul(x, x), y", ["ValueError", "Dimensions must be equal"]),
        ("def gradients(self, compute, v, n):\n    return compute()", ["TypeError", "variables"]),
        ("def after_update(self, v, rate):\n    return {n: x.numpy() for n, x in v.items()}", ["numpy"]),
        ("def activations(self, h, l, n):\n    return h if h[0, 0] > 0 else -h", ["OperatorNotAllowedInGraphError"]),
    ],
)
def test_a_hook_that_fails_is_named_with_its_line(mine, hook, parts):
    with refused(LINE + 1, *parts):
        mine(hook).run(0)


@pytest.mark.parametrize(
    ("hook", "parts"),
    [
        (
            "def penalty(self, v, p, l):\n    return tf.strings.to_number(tf.strings.as_string(l[0, 0]))",
            [f"mine.py, line {LINE + 1}: XLA, which compiles the training, has no operation AsString"],
        ),
        (
            "def buffers(self, v):\n    return {'a': __import__('numpy').array([{}], object)}",
            ["mine.py: TensorFlow does not take what it makes: ValueError: Failed to convert"],
        ),
    ],
)
def test_what_tensorflow_does_not_take_is_told_with_the_plugin(mine, tmp_path, hook, parts):
    with pytest.raises(UserError) as caught, plugins.at_work([tmp_path / "mine.py"]):
        mine(hook).run(0)
    assert all(part in str(caught.value) for part in parts) and "\n" not in str(caught.value), caught.value


@pytest.mark.parametrize("error", [Unsuitable("x"), KeyError("x"), UserError("x")])
def test_what_is_not_a_plugins_fault_is_not_told_as_such(error):
    with pytest.raises(type(error)) as caught, plugins.at_work(["mine.py"]):
        raise error
    assert caught.value is error
    with pytest.raises(ValueError), plugins.at_work([]):
        raise ValueError


def test_a_plugin_named_by_a_relative_path_is_told_with_its_line(mine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine("def penalty(self, v, p, l):\n    return self.strenght")
    kind = registry.load(Path("mine.py"), "Mine")
    with refused(LINE + 1, "AttributeError"):
        Trainer(SETTINGS, DATA, kind()).run(0)


@pytest.mark.parametrize(
    ("code", "parts"),
    [("import no_such_module", ["ModuleNotFoundError", "no_such_module"]), ("exit()", ["SystemExit"])],
)
def test_a_plugin_that_fails_to_import_is_named_with_its_line(tmp_path, code, parts):
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}{code}\n")
    with refused(LINE, *parts):
        registry.load(path, "Mine")


def test_a_constructor_that_takes_no_settings_is_named_with_its_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}    share = Setting(1.0)\n    def __init__(self): pass\n")
    with refused(LINE + 1, "TypeError", "unexpected keyword argument 'share'"):
        registry.load(path, "Mine")(share=1.0)


def test_a_hooks_failure_is_one_short_line(mine):
    with pytest.raises(UserError) as caught:
        mine("def penalty(self, v, p, l):\n    raise ValueError('a\\nb ' * 500)").run(0)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert caught.value.__suppress_context__
