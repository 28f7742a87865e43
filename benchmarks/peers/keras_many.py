"""Keras `fit` told to make 100 steps of one call (`steps_per_execution`)."""

from benchmarks.peers import keras_fit
from benchmarks.workload import Workload


def train(work: Workload):
    return keras_fit.train(work, steps_per_execution=100)
