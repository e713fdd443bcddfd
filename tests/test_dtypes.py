"""Numbers of other kinds than float32: complex ones are refused where an imaginary part would be dropped, and
double or half ones go through networks, which have a dtype of their own, and come back."""

import pytest
import torch

from mpinotes.data import Imaging, bar_modulation, image_pairs
from mpinotes.diffusion import ANCESTRAL
from mpinotes.evaluation import bootstrap_mean, clear_background, coverage, psnr, rmse, ssim, summarise
from mpinotes.methods import METHODS, adversarial, dccdm, dps, mirror_mean, regression, sm_regression, sm_synthesis
from mpinotes.networks import EDSRConfig, ESRGANConfig, UNetConfig, seeded_network
from mpinotes.operators import Degradation, fit_degradation
from mpinotes.physics import CartesianScan, Particle, ScanSignal, mean_moment, simulate_scan
from mpinotes.reconstruction import (
    denoise_total_variation,
    kaczmarz,
    native_model,
    reconstruct_penalised,
    reconstruct_tikhonov,
    reconstruct_xspace,
    recover_fundamental,
    richardson_lucy,
    total_variation,
)
from mpinotes.training import forward

GENERATOR = torch.Generator().manual_seed(0)
X_LR, X_HR = torch.rand(2, 2, 1, 8, 8, 8, generator=GENERATOR)
LOW, HIGH = torch.complex(*torch.rand(2, 2, 3, 2, 8, 8, generator=GENERATOR)) / 2
ORDERS = torch.tensor([[2, 0], [1, 1], [0, 2]])
PARTICLE, SCAN = Particle(25e-9), CartesianScan()

IMAGE_CONFIG = dccdm.DCCDMConfig(network=UNetConfig(widths=(8, 16)))
UNET = regression.RegressionConfig(UNetConfig(in_channels=1, widths=(8, 16)))
EDSR = regression.RegressionConfig(EDSRConfig(width=8, blocks=1), norm="l1")
ESRGAN = adversarial.AdversarialConfig(ESRGANConfig(8, 4, blocks=1, critic_width=4), pretraining=0.0)
MATRIX_CONFIG = sm_synthesis.SynthesisConfig(UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16)))


def network(config):
    """One that does something: its last layer is not zero."""
    model = seeded_network(config.network, seed=0)
    torch.nn.init.constant_((model.head if isinstance(config.network, UNetConfig) else model.tail).weight, 0.01)
    return model


COMPLEX_REFUSED = {
    "estimate": (
        lambda: psnr(X_LR + 0j, X_HR),
        lambda: rmse(X_LR + 0j, X_HR),
        lambda: ssim(X_LR + 0j, X_HR),
        lambda: summarise(X_LR + 0j, X_HR),
    ),
    "truth": (lambda: psnr(X_LR, X_HR * 1j), lambda: coverage(X_LR.flatten(1), X_HR[0].flatten() + 0j, 0.9)),
    "values": (lambda: bootstrap_mean(X_LR.flatten() + 0j),),
    "volume": (lambda: clear_background(X_LR + 0j),),
    "samples": (lambda: coverage(X_LR.flatten(1) + 0j, X_HR[0].flatten(), 0.9),),
    "x": (lambda: Degradation(1.0)(X_LR + 0j),),
    "y": (lambda: Degradation(1.0).adjoint(X_LR + 0j),),
    "x_hr": (lambda: fit_degradation(X_HR + 0j, X_LR),),
    "concentration": (lambda: simulate_scan(X_HR + 0j, PARTICLE, SCAN),),
    "signal.voltage": (
        lambda: reconstruct_xspace(ScanSignal(torch.ones(1, 1, 4, 4, 128) + 0j, torch.ones(1)), PARTICLE, SCAN, 4),
    ),
    "field": (lambda: mean_moment(torch.ones(3) + 0j, PARTICLE, torch.ones(3)),),
    "easy_axis": (lambda: mean_moment(torch.ones(3), PARTICLE, torch.ones(3) * 1j),),
    "native": (
        lambda: reconstruct_tikhonov(X_LR + 0j, PARTICLE, SCAN),
        lambda: recover_fundamental(X_LR + 0j, SCAN),
    ),
    "volumes": (
        lambda: image_pairs(X_HR + 0j),
        lambda: total_variation(X_HR + 0j),
        lambda: denoise_total_variation(X_HR + 0j, 0.1),
    ),
    "data": (
        lambda: richardson_lucy(native_model(PARTICLE, SCAN, (8, 8, 8)), X_LR + 0j),
        lambda: reconstruct_penalised(native_model(PARTICLE, SCAN, (8, 8, 8)), X_LR + 0j, penalty="l1", weight=1.0),
    ),
    "image": (lambda: bar_modulation(torch.ones(32, 32) + 0j),),
    "x_lr": (
        lambda: dccdm.enhance(network(IMAGE_CONFIG), X_LR + 0j, IMAGE_CONFIG, steps=1),
        lambda: regression.enhance(network(EDSR), X_LR + 0j),
        lambda: mirror_mean(lambda x: x, X_LR + 0j),
    ),
}


@pytest.mark.parametrize("name, call", [(name, call) for name, calls in COMPLEX_REFUSED.items() for call in calls])
def test_complex_numbers_are_refused_where_their_imaginary_part_would_be_dropped(name, call):
    with pytest.raises(ValueError, match=f"^{name}: got dtype torch.complex64, accepted are real"):
        call()


@pytest.mark.parametrize("metric", [psnr, rmse, ssim, summarise])
def test_metrics_of_volumes_name_those_of_components(metric):
    with pytest.raises(ValueError, match="component_psnr and component_ssim"):
        metric(1j * X_LR, X_HR)
    with pytest.raises(ValueError, match=r"real floating-point numbers$"):  # no hint where it does not help
        metric(X_LR.int(), X_HR)


@pytest.mark.parametrize("real, complex_", [(torch.float32, torch.complex64), (torch.float64, torch.complex128)])
def test_a_real_matrix_and_a_complex_measurement_give_the_least_squares_solution(real, complex_):
    """argmin ‖Sc − u‖² + λ‖c‖² with λ = ‖S‖² / (10 voxels), as one least-squares problem."""
    matrix = torch.rand(12, 4, generator=torch.Generator().manual_seed(1), dtype=real)
    measurement = torch.complex(*torch.rand(2, 12, 3, generator=torch.Generator().manual_seed(2), dtype=real))
    solution = kaczmarz(matrix, measurement, regularization=0.1, sweeps=300, weighted=False, non_negative=False)
    root = (0.1 * matrix.square().sum() / 4).sqrt()
    rows, target = torch.cat([matrix, root * torch.eye(4)]), torch.cat([measurement, torch.zeros(4, 3)])
    expected = torch.linalg.lstsq(rows.to(complex_), target.to(complex_)).solution.real
    assert solution.dtype == real
    torch.testing.assert_close(solution, expected, atol=1e-5, rtol=0)


IMAGE_METHODS = {
    "dccdm": dccdm.DiffusionMethod("tiny", "Tiny", IMAGE_CONFIG, None, 2),
    "unet": regression.RegressionMethod("tiny", "Tiny", UNET, None, 1),
    "edsr": regression.RegressionMethod("tiny", "Tiny", EDSR, None, 1),
    "esrgan": adversarial.AdversarialMethod("tiny", "Tiny", ESRGAN, None, 1),
}
ENHANCERS = {
    "dccdm": lambda x: dccdm.enhance(network(IMAGE_CONFIG), x, IMAGE_CONFIG, steps=2, step=ANCESTRAL),
    "dps": lambda x: dps.enhance(network(IMAGE_CONFIG), x, IMAGE_CONFIG, steps=2),
    "unet": lambda x: regression.enhance(network(UNET), x),
    "edsr": lambda x: regression.enhance(network(EDSR), x),
    "esrgan": lambda x: adversarial.enhance(network(ESRGAN), x),
}


@pytest.mark.parametrize("name", ENHANCERS)
@pytest.mark.parametrize("dtype, digits", [(torch.float64, 1e-6), (torch.float16, 2e-2)])
def test_volumes_of_any_precision_come_back_enhanced_in_their_own(name, dtype, digits):
    """With the same noise, too: the sampler starts where it starts for float32."""
    enhance = ENHANCERS[name]
    result = enhance(X_LR.to(dtype))
    assert result.dtype == dtype
    torch.testing.assert_close(result.float(), enhance(X_LR.to(dtype).float()), atol=digits, rtol=0)


def test_the_pairs_of_double_volumes_can_be_enhanced():
    pairs = image_pairs(X_HR.double(), Imaging())
    assert ENHANCERS["dccdm"](pairs.x_lr).dtype == torch.float64


@pytest.mark.parametrize("name", IMAGE_METHODS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_pairs_of_any_precision_train_a_network(name, dtype):
    method = IMAGE_METHODS[name]
    model = method.build(0)
    drawn = method.draw((X_LR.to(dtype), X_HR.to(dtype)), torch.Generator().manual_seed(1))
    total = method.loss(model, drawn, progress=0.5)["total"]
    total.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert torch.isfinite(total) and gradients
    # Their values are not looked at: on grids of 2³, oneDNN's bfloat16 convolution now and then leaves a NaN.
    assert all(gradient.dtype == torch.float32 for gradient in gradients)


@pytest.mark.parametrize("module", [sm_synthesis, sm_regression], ids=["diffusion", "regression"])
def test_components_in_double_precision_are_synthesised_as_in_single(module):
    options = (sm_synthesis.Sampling(steps=2, sampler="derived"),) if module is sm_synthesis else ()
    single, double = (
        module.synthesise(network(MATRIX_CONFIG), low, ORDERS, MATRIX_CONFIG, *options)
        for low in (LOW, LOW.to(torch.complex128))
    )
    assert single.dtype == torch.complex64 and double.dtype == torch.complex128
    torch.testing.assert_close(double.to(torch.complex64), single, atol=1e-2, rtol=0)  # networks may round to bfloat16


@pytest.mark.parametrize("name", ["sm_aware", "sm_unet"])
def test_components_in_double_precision_train_a_network(name):
    batch = (LOW.to(torch.complex128), HIGH.to(torch.complex128), ORDERS)
    method = METHODS[name]
    total = method.loss(network(MATRIX_CONFIG), method.draw(batch, torch.Generator().manual_seed(1)), 0.0)["total"]
    total.backward()
    assert torch.isfinite(total)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("weights", [torch.float32, torch.float64])
def test_a_network_takes_any_precision_and_gives_it_back(dtype, weights):
    model = torch.nn.Linear(4, 2).to(weights)
    assert forward(model, torch.ones(3, 4, dtype=dtype)).dtype == dtype


def test_a_scan_in_half_precision_is_refused_by_name():
    with pytest.raises(ValueError, match="^concentration.dtype: got torch.float16, accepted are torch.float32, "):
        simulate_scan(X_HR.half(), PARTICLE, SCAN)


@pytest.mark.parametrize("dtype, digits", [(torch.float16, 2e-3), (torch.float32, 1e-6), (torch.float64, 1e-15)])
def test_mean_moments_have_the_precision_of_their_field(dtype, digits):
    field, axis = torch.tensor([12.0, 0.0, 6.0]) / 1024, torch.tensor([0.0, 1.0, 1.0])
    particle = Particle(20e-9, anisotropy=3e3)
    moment, expected = (mean_moment(field.to(d), particle, axis.to(d)) for d in (dtype, torch.float64))
    assert moment.dtype == dtype
    torch.testing.assert_close(moment.double(), expected, atol=digits, rtol=0)
