"""The proof: phantoms measured at the high gradient and reconstructed with every matrix."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mpinotes.checks import check_count
from mpinotes.data import (
    BAR_WIDTHS,
    NOISES,
    TRAIN_SEED,
    MatrixPairs,
    add_calibration_noise,
    available_vessels,
    bar_modulation,
    matrix_split,
    matrix_test_pairs,
    matrix_train_pairs,
    points,
    resolution_bars,
)
from mpinotes.draw import normal_like
from mpinotes.evaluation import psnr, ssim
from mpinotes.physics import order_patterns
from mpinotes.reconstruction import kaczmarz
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Picture, Record, Row, Series
from mpinotes.studies.rows import SPLITS, Subject
from mpinotes.studies.synthesisers import synthesisers

STUDY = "reconstruction"

MEASUREMENT_NOISE = 1e-3
"""Of the phantom's voltages, as a share of the strongest line of the vessels at the high gradient; the
same in volts at the low gradient."""

LEAST_SNR = 5.0
"""Lines whose low-gradient component stays below this (peak over noise) are left out of every matrix."""

REGULARIZATIONS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Tried for every matrix on vessels that are not tested; the best is used."""

ANCHORS = 4
"""Per axis: how many high-gradient calibration points fix the complex scale of every component."""

SWEEPS = 20
PICTURED = "held_out/core/45/noisy"
"""Whose images are kept in the record."""

TRUE_HIGH, OWN_LOW = "true_high", "low_own"
"""The matrices that nobody had to synthesise: the measured one, and that of the low gradient at its own measurement."""


def run(profile: Profile, runs: Path) -> Record:
    """PSNR and SSIM of reconstructed vessels, bars and points, per protocol, calibration noise and core diameter.

    Conditions: "SPLIT/core/NANOMETRES/NOISE" for what holds for a matrix, with "/PHANTOM" behind for its images.
    """
    test, tuning = (available_vessels(split, profile.sample_volumes) for split in ("test", "val"))
    phantoms = {"vessels": test.volumes.amax(2)[:, 0], "bars": resolution_bars(), "points": points()}
    titles = {TRUE_HIGH: "true high gradient", OWN_LOW: "low gradient, own measurement", "phantom": "phantom"}
    found = Found([], [], [Subject(STUDY, "phantom", name).picture("z", x[0]) for name, x in phantoms.items()])
    cases: dict[str, str] = {}
    for split in ("paper", "held-out diameters"):
        train = matrix_train_pairs(profile, split)
        for noise in NOISES:
            noisy = add_calibration_noise(train, NOISES[noise], seed=TRAIN_SEED)
            methods = synthesisers(profile, split, noisy, runs)
            titles |= {key: method.title for key, method in methods.items() if key != "low"}
            for setting in matrix_split(split).test:
                pairs = matrix_test_pairs(profile, [setting], NOISES[noise])
                clean = matrix_test_pairs(profile, [setting], 0.0)
                images = {key: method.synthesise(pairs, [setting]) for key, method in methods.items() if key != "low"}
                core = f"{1e9 * setting.core_diameter:.0f}"
                condition = f"{SPLITS[split]}/core/{core}/{noise}"
                cases[condition] = f"{split}, {core} nm, {noise}"
                results = reconstruct_all(
                    images, pairs, clean.low_voltage, phantoms, tuning.volumes.amax(2)[:, 0],
                    noise=NOISES[noise], case=Subject(STUDY, "", condition), pictures=condition == PICTURED,
                )  # fmt: skip
                found += results
                vessels = [row for row in results.rows if row.condition.endswith("/vessels") and row.metric == "psnr"]
                print(condition, {row.method: row.mean for row in vessels}, flush=True)
    settings = {
        "volumes": len(test.volumes),
        "bar_widths": [1.25 * width for width in BAR_WIDTHS],
        "anchors": ANCHORS**2,
    }
    return Record(
        STUDY, test.source, titles | cases, settings, tuple(found.rows), tuple(found.series), tuple(found.pictures)
    )


@dataclass(frozen=True)
class Found:
    """What a case leaves in the record."""

    rows: list[Row]
    series: list[Series]
    pictures: list[Picture]

    def __add__(self, other: "Found") -> "Found":
        return Found(self.rows + other.rows, self.series + other.series, self.pictures + other.pictures)


def anchor_pixels(orders: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Where calibration points give every component its volts: one pixel, as a place in the flattened image of
    `shape` (y, x), in each of four by four cells, so that no wave of the mixing `orders` (component, 2) is small at
    all of them. Raises ``ValueError`` for fewer than four pixels along an axis.

    On a regular grid some waves are: ±4.4 and ±11.9 mm of 20 lie near the zeros of all with an order of 7. The
    variance of a line's factor falls with the energy Σ_j |g_kj|² of its component at the points. Each cell gives
    the pixel that raises the product of these energies most (a D-optimal design, greedily), for the waves of
    the orders: nothing has to be measured to choose. The cells keep the points from the edges alone.

    >>> anchor_pixels(torch.tensor([[2, 0], [3, 2]]), (8, 8)).tolist()[:4]
    [9, 2, 4, 14]
    """
    energy = order_patterns(orders, shape).double().square().flatten(0, 1)
    for pixels in shape:
        check_count("shape", pixels, ANCHORS)
    energy = energy / energy.mean((-2, -1), keepdim=True).clamp_min(1e-6)  # that of n = 0 is empty
    places = torch.arange(shape[0] * shape[1], device=orders.device).view(shape)
    seen, chosen = energy.new_ones(len(energy), 1), []
    for rows in places.tensor_split(ANCHORS):
        for cell in rows.tensor_split(ANCHORS, dim=1):
            waves = energy.flatten(1)[:, cell.flatten()]
            best = (seen + waves).log().sum(0).round(decimals=6).argmax()  # of equal pixels the first
            chosen.append(cell.flatten()[best])
            seen = seen + waves[:, best, None]
    return torch.stack(chosen)


def anchored(estimate: torch.Tensor, pixels: torch.Tensor, volts: torch.Tensor) -> torch.Tensor:
    """The estimate's components (…, y, x) times the complex factors that fit `volts` (…, pixel) best at `pixels`."""
    guess = estimate.flatten(-2)[..., pixels].to(volts)
    factor = (guess.conj() * volts).sum(-1) / guess.abs().square().sum(-1).clamp_min(1e-12)
    return estimate.to(volts) * factor[..., None, None]


def reconstruct_all(
    images: dict[str, torch.Tensor],
    pairs: MatrixPairs,
    true_low: torch.Tensor,
    phantoms: dict[str, torch.Tensor],
    tuning: torch.Tensor,
    *,
    noise: float,
    case: Subject,
    pictures: bool,
    measurement_noise: float = MEASUREMENT_NOISE,
) -> Found:
    """Reconstruct with the true high, the measured low (at its own measurement) and every synthesised matrix.

    :param images: components of the high gradient by method.
    :param pairs: the true ones.
    :param true_low: components of the low gradient without noise [V].
    :param phantoms: images (n, y, x) in [0, 1] by name.
    :param tuning: images that choose the regularisation of every matrix.
    :param noise: of the calibration, as a share of the strongest component.
    :param case: study and condition under which it is recorded.
    :param pictures: whether the first image of every phantom is kept.
    :param measurement_noise: see `MEASUREMENT_NOISE`.
    """
    generator = torch.Generator().manual_seed(0)
    high = pairs.high_voltage
    measured_low = pairs.low_voltage
    calibration = noise * high.abs().max().item()
    kept = pairs.low_scale > LEAST_SNR * calibration  # (component, channel)
    pixels = anchor_pixels(pairs.orders, (high.shape[-2], high.shape[-1])).to(high.device)
    volts = high.flatten(2)[..., pixels]
    volts = volts + calibration * normal_like(volts, generator)  # measured once, for all methods
    matrices = {TRUE_HIGH: high, OWN_LOW: measured_low}
    matrices |= {key: anchored(x, pixels, volts) for key, x in images.items()}

    truths = torch.cat([*phantoms.values(), tuning]).flatten(1).T.to(high)
    voltages = {"high": high[kept].flatten(1) @ truths, "low": true_low[kept].flatten(1) @ truths}
    spread = measurement_noise * voltages["high"][:, : len(phantoms["vessels"])].abs().max()
    voltages = {key: u + spread * normal_like(u, generator) / 2**0.5 for key, u in voltages.items()}
    found = Found([case.number("lines", int(kept.sum())), case.number("lines_total", kept.numel())], [], [])
    for key, matrix in matrices.items():
        measured = voltages["low" if key == OWN_LOW else "high"].to(torch.complex64)
        rows_of = matrix[kept].flatten(1).to(torch.complex64)
        regularization, frames = _reconstruct(rows_of, measured, tuning)
        method = replace(case, method=key)
        found.rows.append(method.number("regularization", regularization))
        parts = frames.split([*map(len, phantoms.values()), len(tuning)])
        for (name, truth), part in zip(phantoms.items(), parts, strict=False):
            subject = replace(method, condition=f"{case.condition}/{name}")
            found += _test(subject, part, truth, name == "bars", pictures)
    return found


def _reconstruct(matrix: torch.Tensor, measured: torch.Tensor, tuning: torch.Tensor) -> tuple[float, torch.Tensor]:
    """The regularisation that is best for the last frames, `tuning`, and the frames (n, y, x) it gives."""
    # Rows per unit of the strongest: voltages per particle are too small for float32's squares.
    scale = matrix.abs().amax() if len(matrix) else matrix.new_zeros(()).real
    signal = matrix.abs().amax(1) > 1e-12 * scale  # a line of which a method knows nothing is left out
    if not signal.any():
        return REGULARIZATIONS[0], torch.zeros(measured.shape[1], *tuning.shape[1:], device=matrix.device)
    matrix, measured = matrix[signal], measured[signal]
    tried = {}
    for regularization in REGULARIZATIONS:
        solution = kaczmarz(matrix / scale, measured / scale, regularization=regularization, sweeps=SWEEPS)
        frames = solution.T.unflatten(1, tuning.shape[1:]).clamp(0, 1)
        score = psnr(frames[-len(tuning) :, None], tuning[:, None]).mean().item()
        tried[score] = (regularization, frames)
    return tried[max(tried)]


def _test(subject: Subject, frames: torch.Tensor, truth: torch.Tensor, bars: bool, picture: bool) -> Found:
    scores = {metric: measure(frames[:, None], truth[:, None]) for metric, measure in (("psnr", psnr), ("ssim", ssim))}
    return Found(
        subject.means(scores),
        [subject.series("modulation", bar_modulation(frames[0]), 3)] if bars else [],
        [subject.picture("z", frames[0])] if picture else [],
    )
