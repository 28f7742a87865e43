"""The post's own way: TensorFlow 1, one session call a step, fed with numpy batches."""

import time

import numpy as np
import tensorflow as tf

from benchmarks.workload import BETA_1, BETA_2, EPSILON, Workload

v1 = tf.compat.v1


def train(work: Workload):
    features, classes = work.initial.shape
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, features])
        y = v1.placeholder(tf.float32, [None, classes])
        weights = v1.get_variable("W", initializer=work.initial)
        output = tf.nn.softmax(tf.matmul(x, weights))
        loss = tf.nn.l2_loss(y - output) / (classes * work.batch_size)
        update = v1.train.AdamOptimizer(work.learning_rate, BETA_1, BETA_2, EPSILON).minimize(loss)
        pixels, targets = work.pixels, work.targets  # as the tutorial's loader held them
        options = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with v1.Session(config=options) as session:
            for restart in (True, False):  # the first time for the graph's preparation
                session.run(v1.global_variables_initializer())
                begun = time.perf_counter()
                for rows in work.order[: 20 if restart else None]:
                    session.run([update, loss], {x: pixels[rows], y: targets[rows]})
                seconds = time.perf_counter() - begun
            return seconds, np.asarray(session.run(weights))
