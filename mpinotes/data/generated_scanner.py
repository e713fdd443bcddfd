"""Files like those of a scanner's session, from the Langevin model: for those who have none."""

import math
from pathlib import Path

import h5py
import numpy as np
import torch

from mpinotes.files import AnyPath
from mpinotes.physics import Particle, langevin

PLACES = np.arange(-40e-3, 41e-3, 10e-3)
"""Of the sample along the drive, from the middle of the grid [m]."""

_SAMPLES, _HARMONICS = 152, 77
_PARTICLE = Particle(21.5e-9)
_LINES = ((1, 0.8, 0.148, -2.3e-3), (11, 1.0, 0.141, -2.1e-3), (21, 0.8, 0.150, -1.9e-3))
"""First recording, share of the signal, gradient [T/m] and field-free point [m] of each line."""
_AMPLITUDE, _SLOPE = 5e-3, 2.0
"""Of the drive in the middle [T], and how it grows along x [1/m]: no field is the same everywhere."""


def generate_scanner_data(folder: AnyPath, seed: int = 0) -> None:
    """Write a calibration, a phantom, a selection field and a magnetisation curve into `folder`.

    The scanner has one drive along x, one receive channel with a gain of its own at every harmonic, a background that
    drifts most at the beginning, and noise. The calibration holds 30 periods of 152 samples: those of the empty scanner
    are 0, 10 and 20, the others those of nine places on three lines. The phantom has two bars at places 3 and 5.
    """
    folder, rng = Path(folder), np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    calibration = np.zeros((30, _HARMONICS), complex)
    for first, share, gradient, centre in _LINES:
        calibration[first : first + 9] = share * _line(gradient, centre)
    bars = 0.12 * (calibration[14] + calibration[16])
    phantom = np.exp(-(((np.arange(9) - 2.5) / 1.5) ** 2))[:, None] * bars
    background = _background(np.arange(39), rng)
    for name, spectra in (("matrix", calibration + background[:30]), ("phantom", phantom + background[30:])):
        counts = np.fft.irfft(spectra * _SAMPLES, _SAMPLES)
        with h5py.File(folder / f"headscanner_{name}.h5", "w") as file:
            file["matrix"] = counts + 1.3 * rng.standard_normal(counts.shape)
    _write_field(folder / "selection_field_2Tpm.h5", rng)
    np.savetxt(folder / "magnetisation_curve.txt", _curve(rng))


def _line(gradient: float, centre: float) -> np.ndarray:
    """Harmonics of the sample at every place [counts], (place, harmonic)."""
    place, phase = (torch.from_numpy(values) for values in (PLACES[:, None], np.arange(512) * 2 * math.pi / 512))
    field = gradient * (place - centre) + _AMPLITUDE * (1 + _SLOPE * place) * torch.cos(phase)
    moment = torch.fft.rfft(langevin(_PARTICLE.beta * field)).numpy()[:, :_HARMONICS] / 512
    k = np.arange(_HARMONICS)
    filtered = np.where(k == 1, 0.01, 1.0)
    return 6e3 * moment * k * filtered * _resonance(k) * np.exp(0.2 * k - (k / 25) ** 2 - 0.3j * k)


def _resonance(k: np.ndarray) -> np.ndarray:
    """Of the receive chain, which amplifies what comes near harmonic 18."""
    return 1 / (1 - (k / 18) ** 2 + 0.05j * k / 18)


def _background(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the empty scanner receives while it warms up, (time, harmonic)."""
    k = np.arange(_HARMONICS)
    start, change = np.exp(2j * math.pi * rng.random((2, _HARMONICS)) - k / 6) * _resonance(k)
    spectra = 40 * start + 8 * change * (1 - np.exp(-time / 4))[:, None]
    spectra[:, 0] = -80
    return spectra


def _write_field(path: Path, rng: np.random.Generator) -> None:
    """A field of 2 T/m on 36 points of a sphere of 42 mm, with the third order that a pair of coils adds:
    the gradient of the solid harmonic 8z⁴ − 24z²(x² + y²) + 3(x² + y²)²."""
    count = np.arange(36) + 0.5
    z, around = 1 - count / 18, math.pi * (1 + math.sqrt(5)) * count
    across = np.sqrt(1 - z**2)
    x, y, z = places = 42e-3 * np.stack([across * np.cos(around), across * np.sin(around), z])
    aside = x**2 + y**2
    third = np.stack([x * (aside - 4 * z**2), y * (aside - 4 * z**2), z * (8 * z**2 - 12 * aside) / 3])
    field = (np.stack([-x, -y, 2 * z]) + 16 * third).T
    error = np.full(field.shape, 4e-5)
    with h5py.File(path, "w") as file:
        file["fields"] = (field + error * rng.standard_normal(field.shape))[None]
        file["fieldsError"] = error[None]
        file["positions"] = places.T
        file["positionsCenter"] = np.zeros(3)


def _curve(rng: np.random.Generator) -> np.ndarray:
    """µ0H [T], magnetisation and its error, (67, 3), of particles with log-normal cores of 11 nm."""
    half = np.concatenate([[2e-3, 6e-3, 1e-2], np.linspace(0.03, 0.09, 4), np.linspace(0.1, 1, 10)])
    half = np.concatenate([half, np.linspace(1.25, 5, 16)])
    field = np.concatenate([half[::-1], [0.0], -half])
    node, weight = np.polynomial.hermite.hermgauss(15)
    cores = [Particle(float(core)) for core in 11e-9 * np.exp(math.sqrt(2) * 0.2 * node)]
    weight = weight * [core.moment for core in cores]
    curves = [langevin(core.beta * torch.from_numpy(field)).numpy() for core in cores]
    magnetisation = 100 * (weight @ np.stack(curves)) / weight.sum() + 3 * field
    error = np.full(len(field), 0.3)
    return np.stack([field, magnetisation + error * rng.standard_normal(len(field)), error], axis=1)
