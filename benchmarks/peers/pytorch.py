"""PyTorch: autograd and `torch.optim.Adam`, its fused form."""

import math
import time

import torch

from benchmarks.workload import BETA_1, BETA_2, EPSILON, Workload


def train(work: Workload):
    torch.set_num_threads(1)
    pixels, targets = torch.from_numpy(work.pixels), torch.from_numpy(work.targets)
    weights = torch.from_numpy(work.initial.copy()).requires_grad_()
    adam = torch.optim.Adam([weights], lr=work.learning_rate, betas=(BETA_1, BETA_2), fused=True)
    scale = 1 / (2 * work.batch_size * work.classes)
    order = torch.from_numpy(work.order).long()
    begun = time.perf_counter()
    for step, rows in enumerate(order, 1):
        # PyTorch adds epsilon after the bias correction, TensorFlow and the paper's fast form before it.
        adam.param_groups[0]["eps"] = EPSILON / math.sqrt(1 - BETA_2**step)
        error = torch.softmax(pixels.index_select(0, rows) @ weights, 1) - targets.index_select(0, rows)
        loss = error.square().sum() * scale
        adam.zero_grad()
        loss.backward()
        adam.step()
    return time.perf_counter() - begun, weights.detach().numpy()
