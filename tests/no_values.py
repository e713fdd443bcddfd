"""A mode in which no tensor's value may be looked at, as a training step on a GPU must not."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class NoValues(TorchDispatchMode):
    """Refuses to hand a value to Python (`item`, `if tensor`, …): a GPU would first have to finish its work."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a tensor's value was looked at"
        return func(*args, **(kwargs or {}))
