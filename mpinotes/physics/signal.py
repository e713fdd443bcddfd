"""What the receive coil of a Cartesian scan hands on."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ScanSignal:
    """What a scan returns: `voltage` [V], shape (batch, 1, z, y, samples), and `drive_frequency`
    [Hz], shape (batch,).

    >>> signal = simulate_scan(torch.ones(2, 1, 3, 4, 5), Particle(25e-9), CartesianScan())
    >>> signal.voltage.shape, signal.drive_frequency.shape
    (torch.Size([2, 1, 3, 4, 128]), torch.Size([2]))
    """

    voltage: torch.Tensor
    drive_frequency: torch.Tensor
