"""What disturbs a receive voltage."""

import math

import torch

from mpinotes import draw
from mpinotes.checks import check_count, check_positive, check_range
from mpinotes.numerics import full_precision
from mpinotes.physics.signal import ScanSignal


def add_white_noise(signal: ScanSignal, level: float, *, generator: torch.Generator | None = None) -> ScanSignal:
    """Add Gaussian noise of standard deviation `level` [V], independent from sample to sample: that of
    a receiver, and what `simulate_scan` adds of its own.

    >>> quiet = ScanSignal(torch.zeros(1, 1, 8, 8, 128), torch.tensor([25e3]))
    >>> noisy = add_white_noise(quiet, 3e-6, generator=torch.Generator().manual_seed(0))
    >>> f"{noisy.voltage.std():.1e} V"
    '3.0e-06 V'
    """
    check_positive("level", level)
    return _plus(signal, level * draw.normal_like(signal.voltage, generator))


@full_precision
def add_coloured_noise(
    signal: ScanSignal, level: float, *, exponent: float = 1.0, generator: torch.Generator | None = None
) -> ScanSignal:
    """Add Gaussian noise whose power falls as 1/f^`exponent` along each line (1 is "pink"), without a
    constant part; standard deviation `level` [V].

    >>> quiet = ScanSignal(torch.zeros(1, 1, 8, 8, 128), torch.tensor([25e3]))
    >>> noisy = add_coloured_noise(quiet, 3e-6, generator=torch.Generator().manual_seed(0))
    >>> f"{noisy.voltage.std():.1e} V"
    '3.1e-06 V'
    """
    check_positive("level", level)
    check_range("exponent", exponent, 0.0, 4.0)
    white = draw.normal_like(signal.voltage, generator)
    frequency = torch.arange(white.shape[-1] // 2 + 1, dtype=white.dtype, device=white.device)
    shape = torch.where(frequency > 0, frequency.clamp_min(1) ** (-exponent / 2), 0.0)
    power = (shape[1:-1].square().sum() * 2 + shape[-1] ** 2) / white.shape[-1]
    coloured = torch.fft.irfft(torch.fft.rfft(white) * shape, n=white.shape[-1]) / power.sqrt()
    return _plus(signal, level * coloured)


def add_impulsive_noise(
    signal: ScanSignal, level: float, *, probability: float = 0.002, generator: torch.Generator | None = None
) -> ScanSignal:
    """Add Gaussian spikes to a `probability` of the samples, as switching electronics do.

    `level`: standard deviation over all samples [V]; a spike's own is `level` / √`probability`.

    >>> quiet = ScanSignal(torch.zeros(1, 1, 8, 8, 128), torch.tensor([25e3]))
    >>> noisy = add_impulsive_noise(quiet, 3e-6, generator=torch.Generator().manual_seed(0))
    >>> f"{(noisy.voltage != 0).float().mean():.1%} of the samples"
    '0.3% of the samples'
    """
    check_positive("level", level)
    check_range("probability", probability, 0.0, 1.0, open_low=True)
    hit = draw.uniform(signal.voltage.shape, generator).to(signal.voltage.device) < probability
    return _plus(signal, level / math.sqrt(probability) * draw.normal_like(signal.voltage, generator) * hit)


@full_precision
def add_drifting_background(
    signal: ScanSignal, level: float, *, harmonics: int = 5, generator: torch.Generator | None = None
) -> ScanSignal:
    """Add a background at the first `harmonics` of the drive whose amplitudes walk at random from line to line.

    That is feedthrough of the drive which the empty measurement no longer matches. `level`: standard
    deviation over a volume's samples [V].

    >>> quiet = ScanSignal(torch.zeros(1, 1, 8, 8, 128), torch.tensor([25e3]))
    >>> noisy = add_drifting_background(quiet, 3e-6, generator=torch.Generator().manual_seed(0))
    >>> f"{noisy.voltage.std():.1e} V"
    '3.0e-06 V'
    """
    check_positive("level", level)
    check_count("harmonics", harmonics)
    batch, _, depth, height, samples = signal.voltage.shape
    shape = (batch, 1, depth * height, harmonics, 2)
    steps = draw.normal(shape, signal.drive_frequency.double(), generator).to(signal.voltage)
    walk = steps.cumsum(2).view(batch, 1, depth, height, harmonics, 2)
    phase = 2 * math.pi * torch.arange(samples, dtype=walk.dtype, device=walk.device) / samples
    angle = torch.arange(1, harmonics + 1, dtype=walk.dtype, device=walk.device)[:, None] * phase
    background = walk[..., 0] @ angle.cos() + walk[..., 1] @ angle.sin()
    scale = background.flatten(1).std(1).view(-1, 1, 1, 1, 1)
    return _plus(signal, level * background / scale)


def _plus(signal: ScanSignal, disturbance: torch.Tensor) -> ScanSignal:
    return ScanSignal(signal.voltage + disturbance, signal.drive_frequency)
