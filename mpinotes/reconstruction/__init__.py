"""From what a scanner measures back to an image: x-space, Tikhonov, Kaczmarz, penalised least squares,
Richardson–Lucy and multi-harmonic deconvolution; and the choices before: lines, weights, λ."""

from mpinotes.reconstruction.choice import LCurve, discrepancy_regularization, l_curve, residual_norm
from mpinotes.reconstruction.forward_models import (
    ForwardModel,
    HarmonicModel,
    MatrixModel,
    NativeModel,
    harmonic_model,
    native_model,
)
from mpinotes.reconstruction.harmonics import harmonic_portraits
from mpinotes.reconstruction.kaczmarz import KaczmarzState, kaczmarz, kaczmarz_sweeps
from mpinotes.reconstruction.levelled import LevelledModel, levelled
from mpinotes.reconstruction.lines import average_blocks, choose_lines, norm_weights, spread_weights
from mpinotes.reconstruction.penalised import PenalisedState, penalised_steps, reconstruct_penalised
from mpinotes.reconstruction.richardson_lucy import RichardsonLucyState, richardson_lucy, richardson_lucy_steps
from mpinotes.reconstruction.tikhonov import reconstruct_tikhonov
from mpinotes.reconstruction.total_variation import denoise_total_variation, total_variation
from mpinotes.reconstruction.xspace import noise_regularization, reconstruct_xspace, recover_fundamental

__all__ = [
    "ForwardModel",
    "HarmonicModel",
    "KaczmarzState",
    "LCurve",
    "LevelledModel",
    "MatrixModel",
    "NativeModel",
    "PenalisedState",
    "RichardsonLucyState",
    "average_blocks",
    "choose_lines",
    "denoise_total_variation",
    "discrepancy_regularization",
    "harmonic_model",
    "harmonic_portraits",
    "kaczmarz",
    "kaczmarz_sweeps",
    "l_curve",
    "levelled",
    "native_model",
    "noise_regularization",
    "norm_weights",
    "penalised_steps",
    "reconstruct_penalised",
    "reconstruct_tikhonov",
    "reconstruct_xspace",
    "recover_fundamental",
    "residual_norm",
    "richardson_lucy",
    "richardson_lucy_steps",
    "spread_weights",
    "total_variation",
]
