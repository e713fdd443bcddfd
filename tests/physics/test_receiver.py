import math

import numpy as np
import pytest
import torch
from scipy import signal

from mpinotes.physics import Receiver

FREQUENCY = torch.logspace(2, 7, 101, dtype=torch.float64)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_the_band_pass_is_scipys_butterworth(order):
    low, high = 30e3, 800e3
    expected = np.ones(len(FREQUENCY), dtype=complex)
    for corner, kind in ((low, "high"), (high, "low")):
        b, a = signal.butter(order, 2 * np.pi * corner, kind, analog=True)
        expected *= signal.freqs(b, a, 2 * np.pi * FREQUENCY.numpy())[1]
    np.testing.assert_allclose(Receiver((low, high), order).transfer(FREQUENCY).numpy(), expected, rtol=1e-9)


def test_a_constant_does_not_pass():
    assert Receiver((1e3, 1e6)).transfer(torch.zeros(1, dtype=torch.float64)).abs().item() == 0


def test_a_delay_turns_the_phase_alone():
    still, late = (Receiver((1e3, 1e6), delay=delay).transfer(FREQUENCY) for delay in (0.0, 2e-6))
    torch.testing.assert_close(late, still * torch.exp(-2j * math.pi * FREQUENCY * 2e-6))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("band", (1e3,)),
        ("band", (0.0, 1e3)),
        ("band", (1e3, 1e3)),
        ("band", (1e3, math.nan)),
        ("order", 0),
        ("order", 1.5),
        ("delay", -1e-6),
    ],
)
def test_an_impossible_receiver_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Receiver(**({"band": (1e3, 1e6)} | {name: value}))
