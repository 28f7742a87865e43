"""Regularization Atlas: what each regularization method does to a neural network.

The library behind the workflow's scripts. It knows nothing of Snakemake, and only ``training`` and
``regularizers`` import TensorFlow.
"""
