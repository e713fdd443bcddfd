"""A training step never waits for its device, and sends it nothing but what was drawn."""

from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mpinotes.methods import IMAGE_METHODS, MATRIX_METHODS, ImageMethod
from mpinotes.training import precision
from mpinotes.training.guard import Guard

META = torch.device("meta")
COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class Journey(TorchDispatchMode):
    """Counts copies from the processor to the device, whose tensors hold nothing: a look at one is an error."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        sources = [x.device.type for x in args if isinstance(x, torch.Tensor)]
        if function in COPIES and result.device == META and "cpu" in sources:
            self.count += 1
        return result


def batch(method):
    if isinstance(method, ImageMethod):
        return torch.empty(2, 1, 16, 16, 16, device=META), torch.empty(2, 1, 16, 16, 16, device=META)
    components = torch.empty(2, 2, 16, 16, dtype=torch.complex64, device=META)
    return components, components, torch.empty(2, 2, dtype=torch.int64, device=META)


@pytest.mark.parametrize("progress", [0.0, 0.9])
@pytest.mark.parametrize("method", (*IMAGE_METHODS, *MATRIX_METHODS[:8]), ids=lambda method: method.name)
def test_a_step_neither_looks_at_the_device_nor_sends_it_a_table(method, progress, monkeypatch):
    monkeypatch.setattr(precision, "autocast", lambda device: nullcontext())  # torch knows none for this device
    guard = Guard(2.0, META)
    model = method.build(0).to(META)

    def step():
        drawn = method.draw(batch(method), torch.Generator().manual_seed(0))
        with Journey() as journey:
            total = method.loss(model, drawn, progress)["total"]
            guard.scaled(total).backward()
            guard.clip(model)
        return journey.count

    step()  # the first one may leave tables on the device
    assert step() == 0
