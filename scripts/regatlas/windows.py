"""Windows of a tensor, each at a place of its own."""

from collections.abc import Sequence

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla  # what jax2tf is made of; TensorFlow does not document it
from tensorflow.compiler.xla.xla_data_pb2 import GatherDimensionNumbers


def windows(tensor: tf.Tensor, corners: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """Windows of one shape, [..., *shape], of a tensor with as many axes as the shape.

    With TensorFlow's own operations each number is picked by itself. This is one of XLA's, which reads whole rows.

    Args:
        corners: where each window begins, int32 [..., axes of the tensor]. It must lie in the tensor.
    """
    outer, inner = corners.shape.rank - 1, len(shape)
    axes = GatherDimensionNumbers(
        offset_dims=range(outer, outer + inner), start_index_map=range(inner), index_vector_dim=outer
    )
    return xla.gather(tensor, corners, axes, shape)
