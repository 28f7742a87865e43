"""Keras: a model of one layer and `fit`, which gets its batches from a `tf.data` pipeline over rows."""

import time

import keras
import tensorflow as tf

from benchmarks.workload import BETA_1, BETA_2, EPSILON, Workload


def train(work: Workload, steps_per_execution: int = 1):
    features, classes = work.initial.shape
    pixels, targets = tf.constant(work.pixels), tf.constant(work.targets)
    model = keras.Sequential(
        [keras.Input([features]), keras.layers.Dense(classes, activation="softmax", use_bias=False)]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(work.learning_rate, BETA_1, BETA_2, EPSILON),
        loss=lambda y, output: tf.reduce_mean((output - y) ** 2, 1) / 2,  # Keras takes the mean over the batch
        steps_per_execution=steps_per_execution,
    )

    def batches(order):
        pipeline = tf.data.Dataset.from_tensor_slices(order)
        pipeline = pipeline.map(lambda rows: (tf.gather(pixels, rows), tf.gather(targets, rows)))
        return pipeline.prefetch(2)

    model.fit(
        batches(work.order[:steps_per_execution]), shuffle=False, verbose=0
    )  # traces and compiles; undone afterwards
    model.set_weights([work.initial])
    for variable in model.optimizer.variables:
        if variable.path.rpartition("/")[2] != "learning_rate":
            variable.assign(tf.zeros(variable.shape, variable.dtype))
    rows = batches(work.order)
    begun = time.perf_counter()
    model.fit(rows, shuffle=False, verbose=0)
    return time.perf_counter() - begun, model.get_weights()[0]
