"""What a caller has set for other reasons changes no number of ours: autocast, default device and dtype, no_grad,
inference mode. And what was made under such a setting serves a caller without it."""

import ast
import importlib
import inspect
import os
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar
from unittest.mock import patch

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from mpinotes import (
    data,
    diffusion,
    evaluation,
    methods,
    networks,
    operators,
    physics,
    reconstruction,
    scanner_files,
    training,
)
from mpinotes.methods import adversarial, dccdm, dps, regression, sm_regression, sm_synthesis


def numbers(*shape, dtype=torch.float32, seed=0):
    """Numbers in [0, 1), the same under every setting."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype, device="cpu")


def generator():
    return torch.Generator().manual_seed(3)


VOLUMES, IMAGES = numbers(2, 1, 8, 8, 8), numbers(2, 1, 8, 8, 8, seed=1)
COMPONENTS = torch.complex(numbers(6, 2, 8, 8, seed=2), numbers(6, 2, 8, 8, seed=3)) / 2
ROWS, MEASURED = numbers(12, 9, seed=4), numbers(12, 2, seed=5)
FREQUENCIES = torch.tensor([25e3, 26e3], dtype=torch.float64, device="cpu")
FIELDS = torch.linspace(-5, 5, 21, dtype=torch.float32, device="cpu")
ORDERS = torch.tensor([[2, 0], [1, 1], [0, 2]], device="cpu")
STEPS = torch.tensor([1, 500], device="cpu")
WHOSE = torch.arange(20, device="cpu") // 2
TIMES = torch.tensor([0.0, 1e-7], dtype=torch.float64, device="cpu")
FLAT = VOLUMES.flatten(1)

PARTICLE, SCAN = physics.Particle(25e-9), physics.CartesianScan(noise=1e-6)
HARD, AXIS = physics.Particle(18e-9, anisotropy=3e3), torch.tensor([1.0, 2.0, 0.0], dtype=torch.float32, device="cpu")
LISSAJOUS, SETTING = physics.LissajousScan(shape=(8, 8)), data.MatrixSetting(20e-9, 25e3, 9)
SCHEDULE, FEW = diffusion.Schedule(), data.Amounts(1, 1, 1, 2)

SHAPE = networks.UNetConfig(widths=(8, 16))
IMAGE_CONFIG = dccdm.DCCDMConfig(network=SHAPE)
MATRIX_SHAPE = networks.UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16))
MATRIX_CONFIG = sm_synthesis.SynthesisConfig(MATRIX_SHAPE, condition="random", condition_on_level=True)
REGRESSION = regression.RegressionConfig(networks.EDSRConfig(width=8, blocks=1))
ADVERSARIAL = adversarial.AdversarialConfig(networks.ESRGANConfig(8, 4, blocks=1, critic_width=4))


def untrained(config):
    """A network whose last layer is not zero, as that of a trained one."""
    network = networks.seeded_network(config, seed=0)
    last = network.head if isinstance(network, networks.UNet) else network.tail
    nn.init.constant_(last.weight, 0.01)
    return network


def adversaries():
    return networks.seeded(lambda: adversarial.Adversaries(ADVERSARIAL.network), seed=0)


def signal():
    return physics.ScanSignal(numbers(2, 1, 4, 4, 128) * 1e-5, FREQUENCIES)


def pairs():
    return data.matrix_pairs([SETTING], ORDERS, shape=(8, 8))


def denoise(x, t):
    return torch.tanh(x) / 2


def misfit(x0):
    return operators.Degradation(1.0)(x0).square().flatten(1).sum(1)


def conditional(x, t, condition, levels):
    return (x + condition) / 2


class Fit:
    """The least a training asks of a method."""

    identity: ClassVar = {"method": "fit"}

    def draw(self, batch, generator):
        return batch

    def loss(self, model, drawn, progress):
        return {"total": (training.forward(model, drawn[0]) - drawn[1]).square().mean()}


def rows_model():
    return reconstruction.MatrixModel(ROWS, (1, 3, 3))


def native_levelled():
    return reconstruction.levelled(reconstruction.native_model(PARTICLE, SCAN, (8, 8, 8)), floor=5.0)


def ridge(weight):
    return reconstruction.reconstruct_penalised(rows_model(), MEASURED.T, penalty="ridge", weight=weight, steps=20)


def trained():
    model = networks.seeded(lambda: nn.Conv3d(1, 1, 3, padding=1), seed=0)
    *_, state = training.train(model, Fit(), (IMAGES, VOLUMES), training.TrainConfig(steps=2, batch=2))
    return state.history, state.average, state.curve()


def fitted_filter():
    return methods.fit_wiener(COMPONENTS, COMPONENTS.flip(-1), 3)


def calibrated():
    return physics.simulate_system_matrix(LISSAJOUS, PARTICLE, ORDERS)


def measured():
    matrix = calibrated()
    drives = scanner_files.Drives.of(LISSAJOUS)
    return scanner_files.Measurement(matrix.components.mean((-2, -1))[None], matrix.frequencies, drives)


def through_a_file(save, load, value):
    with TemporaryDirectory() as folder:
        save(value, f"{folder}/file.mdf")
        return load(f"{folder}/file.mdf")


def generated():
    with TemporaryDirectory() as folder, patch.dict(os.environ, MPI_SCANNER_ROOT=f"{folder}/none"):
        found = data.available_scanner_data(folder).folder
        with h5py.File(found / "headscanner_matrix.h5") as file:
            return torch.from_numpy(file["matrix"][()])


def written_image():
    with TemporaryDirectory() as folder:
        scanner_files.save_reconstruction(IMAGES[:, 0, 0], f"{folder}/image.mdf", LISSAJOUS)
        with h5py.File(f"{folder}/image.mdf") as file:
            return torch.from_numpy(file["reconstruction/data"][()])


MATRIX_FILE = partial(through_a_file, scanner_files.save_matrix, scanner_files.load_matrix)
MEASUREMENT_FILE = partial(through_a_file, scanner_files.save_measurement, scanner_files.load_measurement)


def tracer():
    return data.particle_split("fluid").test[0]


def tracer_pairs():
    return data.particle_pairs([tracer()], ORDERS, shape=(4, 4))


def refitted():
    return methods.refit_pairs(pairs(), [SETTING])


COMPUTE = {
    "physics": {
        "add_coloured_noise": lambda: physics.add_coloured_noise(signal(), 1e-6, generator=generator()),
        "add_drifting_background": lambda: physics.add_drifting_background(signal(), 1e-6, generator=generator()),
        "add_impulsive_noise": lambda: physics.add_impulsive_noise(signal(), 1e-6, generator=generator()),
        "add_white_noise": lambda: physics.add_white_noise(signal(), 1e-6, generator=generator()),
        "brownian_time": lambda: physics.brownian_time(30e-9),
        "calibrate": lambda: physics.calibrate(
            physics.simulate_system_matrix(LISSAJOUS, PARTICLE, ORDERS), particles=1e13, noise=1e-9, drift=1e-9,
            generator=generator(),
        ),
        "debye_response": lambda: physics.debye_response(FIELDS * 1e4, 1e-5),
        "langevin": lambda: physics.langevin(FIELDS),
        "langevin_derivative": lambda: physics.langevin_derivative(FIELDS),
        "langevin_ratio": lambda: physics.langevin_ratio(FIELDS),
        "mean_moment": lambda: physics.mean_moment(numbers(5, 3) * 1e-2, HARD, AXIS),
        "mixing_orders": lambda: physics.mixing_orders(2, 5),
        "order_patterns": lambda: physics.order_patterns(ORDERS, (8, 8)),
        "orders_in_band": lambda: physics.orders_in_band(physics.LissajousScan(density=9), 45e3, 50e3, 4),
        "periodic_rotation": lambda: physics.periodic_rotation(
            (1e-3, 2e-3, 0.0), 25e3, HARD, physics.NeelRotation(), degree=6, harmonics=4
        ),
        "point_response": lambda: physics.point_response(numbers(5, 3) * 1e-3, PARTICLE, (1.5, 1.5, -3.0)),
        "simulate_rotation": lambda: physics.simulate_rotation(
            lambda t: (1e-3, 2e-3, 3e-3 - t), TIMES, HARD, physics.NeelRotation(),
            degree=6,
        ),
        "simulate_scan": lambda: physics.simulate_scan(
            VOLUMES, PARTICLE, SCAN, response=physics.Receiver((5e4, 1e6)).transfer, generator=generator()
        ),
        "simulate_system_matrix": lambda: (
            physics.simulate_system_matrix(LISSAJOUS, PARTICLE, response=physics.Receiver((5e4, 1e6)).transfer),
            [
                physics.simulate_system_matrix(LISSAJOUS, physics.Mixture((HARD, PARTICLE), (0.7, 0.3)), easy_axis=axis)
                for axis in (physics.FixedAxis((1.0, 2.0, 1.0)), physics.FluidAxis(), physics.Powder())
            ],
        ),
        "LissajousScan": lambda: (LISSAJOUS.positions(16), LISSAJOUS.bins(ORDERS)),
        "SystemMatrix": lambda: physics.simulate_system_matrix(LISSAJOUS, PARTICLE, ORDERS).rows(),
    },
    "operators": {
        "Degradation": lambda: (operators.Degradation(1.0)(VOLUMES), operators.Degradation(1.0).adjoint(VOLUMES)),
        "fit_degradation": lambda: operators.fit_degradation(VOLUMES, operators.Degradation(0.8)(VOLUMES)),
        "frequency_alignment_loss": lambda: operators.frequency_alignment_loss(VOLUMES, IMAGES, VOLUMES.flip(2)),
        "frequency_terms": lambda: operators.frequency_terms(VOLUMES, IMAGES, VOLUMES.flip(2)),
        "spherical_masks": lambda: operators.spherical_masks((6, 8, 10), 0.5),
    },
    "reconstruction": {
        "average_blocks": lambda: reconstruction.average_blocks(MEASURED, 5),
        "choose_lines": lambda: reconstruction.choose_lines(
            physics.simulate_system_matrix(LISSAJOUS, PARTICLE, ORDERS), channels=(1,), orders=(2, 2), band=(4e4, 1e5)
        ),
        "denoise_total_variation": lambda: reconstruction.denoise_total_variation(VOLUMES, 0.1, steps=5),
        "discrepancy_regularization": lambda: reconstruction.discrepancy_regularization(
            ridge, rows_model(), MEASURED.T, 1.2
        ),
        "harmonic_model": lambda: reconstruction.harmonic_model(PARTICLE, SCAN, (8, 8, 8), (2, 3)).apply(VOLUMES),
        "harmonic_portraits": lambda: reconstruction.harmonic_portraits(signal(), PARTICLE, SCAN, 8, (2, 3)),
        "kaczmarz": lambda: reconstruction.kaczmarz(ROWS, MEASURED, sweeps=3),
        "kaczmarz_sweeps": lambda: next(reconstruction.kaczmarz_sweeps(ROWS, MEASURED)),
        "l_curve": lambda: reconstruction.l_curve(ridge, rows_model(), MEASURED.T, (0.1, 1.0, 10.0)),
        "levelled": lambda: native_levelled().level(VOLUMES),
        "native_model": lambda: reconstruction.native_model(PARTICLE, SCAN, (8, 8, 8)).apply(VOLUMES),
        "noise_regularization": lambda: reconstruction.noise_regularization(PARTICLE, SCAN, 8, 1e17),
        "norm_weights": lambda: reconstruction.norm_weights(ROWS),
        "penalised_steps": lambda: next(
            reconstruction.penalised_steps(native_levelled(), VOLUMES, penalty="l1", weight=0.01)
        ),
        "reconstruct_penalised": lambda: reconstruction.reconstruct_penalised(
            native_levelled(), VOLUMES, penalty="total_variation", weight=0.01, steps=3
        ),
        "reconstruct_tikhonov": lambda: reconstruction.reconstruct_tikhonov(VOLUMES, PARTICLE, SCAN),
        "reconstruct_xspace": lambda: reconstruction.reconstruct_xspace(signal(), PARTICLE, SCAN, 8),
        "recover_fundamental": lambda: reconstruction.recover_fundamental(VOLUMES, SCAN),
        "residual_norm": lambda: reconstruction.residual_norm(rows_model(), ridge(1.0), MEASURED.T),
        "richardson_lucy": lambda: reconstruction.richardson_lucy(
            reconstruction.native_model(PARTICLE, SCAN, (8, 8, 8)), VOLUMES, steps=3
        ),
        "richardson_lucy_steps": lambda: next(reconstruction.richardson_lucy_steps(rows_model(), MEASURED.T)),
        "spread_weights": lambda: reconstruction.spread_weights(MEASURED),
        "total_variation": lambda: reconstruction.total_variation(VOLUMES),
    },
    "diffusion": {
        "add_noise": lambda: diffusion.add_noise(VOLUMES, IMAGES, STEPS, SCHEDULE),
        "conditioned": lambda: diffusion.conditioned(
            conditional, FLAT, diffusion.AnnealedCondition(), SCHEDULE, FLAT, generator()
        )(FLAT, STEPS),
        "guided": lambda: diffusion.guided(denoise, denoise, 2.0)(FLAT, STEPS),
        "perturb": lambda: diffusion.perturb(FLAT, FLAT, numbers(2, 2)),
        "posterior_deviation": lambda: diffusion.posterior_deviation(0.5, 0.75),
        "sample": lambda: diffusion.sample(
            denoise, VOLUMES, SCHEDULE, steps=3, step=diffusion.ANCESTRAL, misfit=misfit, generator=generator()
        ),
        "sample_path": lambda: list(diffusion.sample_path(denoise, VOLUMES, SCHEDULE, steps=3)),
        "to_x0": lambda: diffusion.to_x0(VOLUMES, IMAGES, STEPS, SCHEDULE, "v"),
        "ConditionDecay": lambda: diffusion.ConditionDecay().at(STEPS, SCHEDULE),
        "Objective": lambda: diffusion.Objective().weight(STEPS, VOLUMES),
        "Schedule": lambda: [
            (schedule.alpha_bar, schedule.kept_steps(4), schedule.at(STEPS, VOLUMES))
            for schedule in (diffusion.Schedule("linear"), diffusion.Schedule("cosine"))
        ],
    },
    "evaluation": {
        "bootstrap_mean": lambda: evaluation.bootstrap_mean(FIELDS),
        "calibrate_intervals": lambda: evaluation.calibrate_intervals(
            numbers(20), numbers(20, seed=1).abs() + 1, numbers(20, seed=2), WHOSE, 0.5, (0.0,)
        ),
        "clear_background": lambda: evaluation.clear_background(VOLUMES),
        "component_psnr": lambda: evaluation.component_psnr(COMPONENTS, COMPONENTS.flip(-1)),
        "component_scores": lambda: evaluation.component_scores(COMPONENTS, COMPONENTS.flip(-1)),
        "component_ssim": lambda: evaluation.component_ssim(COMPONENTS, COMPONENTS.flip(-1)),
        "conformal_quantile": lambda: evaluation.conformal_quantile(numbers(20), WHOSE, 0.5),
        "coverage": lambda: evaluation.coverage(numbers(9, 20), numbers(20, seed=1), 0.9),
        "format_table": lambda: evaluation.format_table({}),
        "largest_correlation": lambda: evaluation.largest_correlation(COMPONENTS.real, COMPONENTS.imag),
        "phase_of_peak": lambda: evaluation.phase_of_peak(COMPONENTS),
        "psnr": lambda: evaluation.psnr(IMAGES, VOLUMES),
        "rmse": lambda: evaluation.rmse(IMAGES, VOLUMES),
        "ssim": lambda: evaluation.ssim(IMAGES, VOLUMES),
        "summarise": lambda: evaluation.summarise(IMAGES, VOLUMES),
        "volume_means": lambda: evaluation.volume_means(numbers(20), WHOSE),
        "ConformalIntervals": lambda: evaluation.ConformalIntervals((0.0,), (1.0, 2.0))(numbers(20), numbers(20)),
    },
    "data": {
        "add_calibration_noise": lambda: data.add_calibration_noise(pairs(), 1e-3),
        "available_scanner_data": lambda: generated(),
        "available_vessels": lambda: data.available_vessels("test", 1),
        "bar_modulation": lambda: data.bar_modulation(data.resolution_bars()[0]),
        "image_pairs": lambda: data.image_pairs(VOLUMES),
        "image_split": lambda: data.image_split("test", 1),
        "matrix_pairs": lambda: data.matrix_pairs([SETTING], ORDERS, shape=(8, 8), relaxation="debye"),
        "matrix_test_pairs": lambda: data.matrix_test_pairs(FEW, [SETTING], 1e-3),
        "matrix_train_pairs": lambda: data.matrix_train_pairs(FEW, "paper"),
        "mixing_subset": lambda: [data.mixing_subset(count) for count in (1, 12, 168)],
        "normalise_components": lambda: data.normalise_components(COMPONENTS),
        "particle_pairs": lambda: data.particle_pairs(data.particle_split("mixed").test[:2], ORDERS, shape=(4, 4)),
        "points": lambda: data.points(),
        "reconstruct_images": lambda: data.reconstruct_images(signal(), data.Imaging(), 8),
        "resolution_bars": lambda: data.resolution_bars(),
        "simulate_setting": lambda: data.simulate_setting(tracer(), 0.1, ORDERS, (4, 4)),
        "scan_split": lambda: data.scan_split("test", 1),
        "scan_image_split": lambda: data.scan_image_split("test", 1),
        "scan_images": lambda: data.scan_images(data.scan_volumes(VOLUMES, data.Imaging()), data.Imaging(), 8),
        "scan_volumes": lambda: data.scan_volumes(VOLUMES, data.Imaging()),
        "synthetic_vessels": lambda: data.synthetic_vessels(2, side=8),
    },
    "scanner_files": {
        "load_matrix": lambda: MATRIX_FILE(calibrated()),
        "load_measurement": lambda: MEASUREMENT_FILE(measured()),
        "pair_rows": lambda: scanner_files.pair_rows(calibrated(), measured()),
        "save_matrix": lambda: MATRIX_FILE(calibrated()),
        "save_measurement": lambda: MEASUREMENT_FILE(measured()),
        "save_reconstruction": written_image,
    },
    "networks": {
        "seeded": lambda: adversaries(),
        "seeded_network": lambda: networks.seeded_network(SHAPE, seed=0),
        "widen_input": lambda: networks.widen_input(untrained(SHAPE), 3),
    },
    "training": {
        "forward": lambda: training.forward(untrained(SHAPE), torch.cat([VOLUMES, IMAGES], dim=1), STEPS),
        "make_ema": lambda: training.make_ema(untrained(SHAPE), 0.9).update_parameters(untrained(SHAPE)),
        "train": trained,
    },
    "methods": {
        "adversarial": lambda: (
            adversarial.loss(adversaries(), (IMAGES, VOLUMES), 1.0, ADVERSARIAL),
            adversarial.enhance(untrained(ADVERSARIAL.network), IMAGES),
        ),
        "dccdm": lambda: (
            dccdm.loss(untrained(SHAPE), dccdm.draw((IMAGES, VOLUMES), generator(), IMAGE_CONFIG), IMAGE_CONFIG),
            dccdm.enhance(untrained(SHAPE), IMAGES, IMAGE_CONFIG, steps=2, step=diffusion.ANCESTRAL),
        ),
        "dps": lambda: dps.enhance(untrained(SHAPE), IMAGES, IMAGE_CONFIG, steps=2),
        "fit_pattern": lambda: methods.fit_pattern(COMPONENTS[:3], ORDERS),
        "fit_wiener": lambda: (fitted_filter().gain, fitted_filter()(COMPONENTS)),
        "load": lambda: methods.load("sm_unet").model,
        "mirror_answers": lambda: methods.mirror_answers(lambda x: x / 2, IMAGES),
        "mirror_mean": lambda: methods.mirror_mean(lambda x: x / 2, IMAGES),
        "nearest_neighbour": lambda: methods.nearest_neighbour(COMPONENTS[:3], pairs(), 3),
        "refit_matrix": lambda: methods.refit_matrix(pairs().low_voltage, SETTING, ORDERS),
        "refit_pairs": refitted,
        "refit_setting": lambda: methods.refit_setting(tracer_pairs().low_voltage, tracer(), ORDERS)[0],
        "refit_settings": lambda: methods.refit_settings(tracer_pairs(), [tracer()]),
        "regression": lambda: (
            regression.loss(untrained(REGRESSION.network), (IMAGES, VOLUMES), REGRESSION),
            regression.enhance(untrained(REGRESSION.network), IMAGES),
        ),
        "sm_regression": lambda: sm_regression.synthesise(
            untrained(MATRIX_SHAPE), COMPONENTS[:3], ORDERS, MATRIX_CONFIG
        ),
        "sm_synthesis": lambda: (
            sm_synthesis.loss(
                untrained(MATRIX_SHAPE),
                sm_synthesis.draw((COMPONENTS[:3], COMPONENTS[3:], ORDERS), generator(), MATRIX_CONFIG),
                MATRIX_CONFIG,
            ),
            sm_synthesis.synthesise(
                untrained(MATRIX_SHAPE), COMPONENTS[:3], ORDERS, MATRIX_CONFIG,
                sm_synthesis.Sampling(steps=2, sampler="derived", guidance=2.0),
            ),
        ),
    },
}  # fmt: skip
"""A call at a tiny size for every public function that computes, by room."""

WITHOUT_TENSORS = {
    "baselines", "believed_setting", "best_device", "build_network", "in_corner", "load_vessels", "log_normal",
    "matrix_scan", "matrix_split", "matrix_test_settings", "neel_time", "parallel", "particle_split", "shares_core",
    "spread_out", "usable_device", "with_bar",
}  # fmt: skip
"""Compute none, read them from a file, or follow torch's defaults on purpose, as a network of one's own does."""

WANT_A_GRADIENT = {("training", "train")}
"""Cannot do without: torch says so itself."""


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS = {
    "autocast to bfloat16": partial(torch.autocast, "cpu", torch.bfloat16),
    "autocast to float16": partial(torch.autocast, "cpu", torch.float16),
    "default device": partial(torch.device, "meta"),
    "default dtype": partial(default_dtype, torch.float64),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}

every_computation = pytest.mark.parametrize(
    "room, name", [(room, name) for room, calls in COMPUTE.items() for name in calls], ids=str
)
plain = {}


def leaves(value):
    """Everything a result holds, flat."""
    if isinstance(value, nn.Module):
        value = value.state_dict()
    if isinstance(value, dict):
        value = list(value.values())
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def outcome(room, name):
    return leaves(COMPUTE[room][name]())


@every_computation
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_callers_setting_changes_no_bit(room, name, setting):
    if (room, name) in WANT_A_GRADIENT and setting in ("no_grad", "inference_mode"):
        pytest.skip("a training is nothing without gradients")
    if (room, name) not in plain:
        plain[room, name] = outcome(room, name)
    with SETTINGS[setting]():
        results = outcome(room, name)
    assert len(results) == len(plain[room, name])
    for result, expected in zip(results, plain[room, name], strict=True):
        if isinstance(expected, torch.Tensor):
            assert (result.dtype, result.device) == (expected.dtype, expected.device)
            np.testing.assert_array_equal(result.detach(), expected.detach())
        else:
            assert result == expected


def test_every_public_function_is_tried():
    for room, calls in COMPUTE.items():
        module = importlib.import_module(f"mpinotes.{room}")
        public = {
            name for name in module.__all__ if inspect.isfunction(f := getattr(module, name)) or inspect.ismodule(f)
        }
        assert public - set(calls) <= WITHOUT_TENSORS


FACTORIES = {
    "arange", "as_tensor", "empty", "eye", "fftfreq", "full", "linspace", "logspace", "ones", "rand", "randint",
    "randn", "randperm", "rfftfreq", "scalar_tensor", "tensor", "tril_indices", "zeros",
}  # fmt: skip


def test_every_tensor_is_made_on_a_named_device():
    """Also where no call above comes by, and on a machine with a GPU."""
    nameless = []
    for path in Path(data.__file__).parents[1].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("torch."):
                names = {keyword.arg for keyword in node.keywords}  # None stands for **options
                if node.func.attr in FACTORIES and not names & {"device", None}:
                    nameless.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
    assert not nameless
