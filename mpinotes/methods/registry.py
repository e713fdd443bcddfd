"""All methods that are trained, with the numbers of their trainings: those that `TrainConfig` has no default for."""

from dataclasses import replace

from mpinotes.methods import baselines
from mpinotes.methods.adversarial import AdversarialConfig, AdversarialMethod
from mpinotes.methods.dccdm import DCCDMConfig, DiffusionMethod
from mpinotes.methods.method import ImageMethod, MatrixMethod, Method
from mpinotes.methods.regression import RegressionConfig, RegressionMethod
from mpinotes.methods.sm_regression import MatrixRegressionMethod
from mpinotes.methods.sm_synthesis import SynthesisConfig, SynthesisMethod
from mpinotes.networks import EDSRConfig, UNetConfig
from mpinotes.training import TrainConfig

EDSR_COST, ESRGAN_COST = 4, 5
"""Steps of the U-Net that take as long as one of theirs, so that all image methods get one training time:
0.62, 2.74 and 3.11 s on one thread of a CPU that computes bfloat16 (avx512_bf16); `make bench` measures it."""

IMAGE_TRAINING = TrainConfig(steps=11_000, batch=8, learning_rate=6e-4)
"""Of the three methods on a U-Net; EDSR and ESRGAN take its time."""

MATRIX_TRAINING = TrainConfig(steps=6_000, batch=32, learning_rate=8e-4)
"""Of every network on matrices."""

_edsr_training = replace(IMAGE_TRAINING, steps=IMAGE_TRAINING.steps // EDSR_COST, learning_rate=4e-4)
_esrgan_training = replace(IMAGE_TRAINING, steps=IMAGE_TRAINING.steps // ESRGAN_COST, learning_rate=2e-4)

IMAGE_METHODS: tuple[ImageMethod, ...] = (
    RegressionMethod("edsr", "EDSR", RegressionConfig(EDSRConfig(), norm="l1"), _edsr_training, calls=1),
    RegressionMethod(
        "unet", "3D U-Net", RegressionConfig(UNetConfig(in_channels=1, blocks=2)), IMAGE_TRAINING, calls=1
    ),
    AdversarialMethod("esrgan", "ESRGAN", AdversarialConfig(), _esrgan_training, calls=1),
    DiffusionMethod("ddpm", "3D DDPM", baselines.ddpm(DCCDMConfig()), IMAGE_TRAINING, calls=2),
    DiffusionMethod("dccdm", "DCCDM", DCCDMConfig(), IMAGE_TRAINING, calls=2),
)
"""The five methods of Qiu et al. (2026), Table 1, in its order."""

NETWORK_SPLITS = {"held-out diameters": "", "paper": "_paper", "mixed": "_mixed"}
"""Splits that networks are trained on, with what they add to a method's name."""


def _regression(variant: str, title: str, config: SynthesisConfig) -> MatrixMethod:
    return MatrixRegressionMethod(variant, title, config, MATRIX_TRAINING, 1, variant, "held-out diameters")


def _diffusion(variant: str, title: str, config: SynthesisConfig) -> MatrixMethod:
    return SynthesisMethod(variant, title, config, MATRIX_TRAINING, 20, variant, "held-out diameters")


_variants = (
    _regression("sm_unet", "U-Net regression", SynthesisConfig()),
    _regression("sm_unet_ordered", "U-Net regression, order told", SynthesisConfig(condition_on_order=True)),
    _diffusion("sm_algorithm1", "Algorithm 1", SynthesisConfig()),
    _diffusion("sm_noised", "noised condition", SynthesisConfig(condition="noised")),
    _diffusion("sm_attenuated", "attenuated condition", SynthesisConfig(condition="attenuated")),
    _diffusion("sm_null", "learned null", SynthesisConfig(condition_on_level=True)),
    _diffusion("sm_aware", "noise-aware", SynthesisConfig(condition="random", condition_on_level=True)),
    _diffusion("sm_ordered", "Algorithm 1, order told", SynthesisConfig(condition_on_order=True)),
)

MIXED_WIDTHS = (24, 56, 88)
"""Of the networks on particles with an easy axis: somewhat narrower, so that all releases together stay below 25 MB."""


def _on_split(method: MatrixMethod, split: str, suffix: str) -> MatrixMethod:
    config = method.config
    if split == "mixed":
        config = replace(config, network=replace(config.network, widths=MIXED_WIDTHS))
    return replace(method, name=method.variant + suffix, split=split, config=config)


MATRIX_METHODS: tuple[MatrixMethod, ...] = tuple(
    _on_split(method, split, suffix) for split, suffix in NETWORK_SPLITS.items() for method in _variants
)
"""The trainings on system matrices: two regressions and six readings of Wei et al. (2026), on each split."""

METHODS: dict[str, Method] = {method.name: method for method in (*IMAGE_METHODS, *MATRIX_METHODS)}
"""All of them by name."""
