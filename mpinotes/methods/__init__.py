"""The two papers and their opponents, composed from the rooms below."""

from mpinotes.methods import adversarial, baselines, dccdm, dps, regression, sm_regression, sm_synthesis
from mpinotes.methods.classical import CLASSICAL_METHODS, ClassicalMethod, PenalisedMethod, RichardsonLucyMethod
from mpinotes.methods.method import ImageMethod, MatrixMethod, Method, TrainingData
from mpinotes.methods.mirrors import mirror_answers, mirror_mean
from mpinotes.methods.nearest_neighbour import nearest_neighbour
from mpinotes.methods.pattern import fit_pattern
from mpinotes.methods.refit import refit_matrix, refit_pairs, refit_setting, refit_settings
from mpinotes.methods.registry import (
    EDSR_COST,
    ESRGAN_COST,
    IMAGE_METHODS,
    IMAGE_TRAINING,
    MATRIX_METHODS,
    MATRIX_TRAINING,
    METHODS,
    NETWORK_SPLITS,
)
from mpinotes.methods.trained import Trained, load
from mpinotes.methods.wiener import WienerFilter, fit_wiener

__all__ = [
    "CLASSICAL_METHODS",
    "EDSR_COST",
    "ESRGAN_COST",
    "IMAGE_METHODS",
    "IMAGE_TRAINING",
    "MATRIX_METHODS",
    "MATRIX_TRAINING",
    "METHODS",
    "NETWORK_SPLITS",
    "ClassicalMethod",
    "ImageMethod",
    "MatrixMethod",
    "Method",
    "PenalisedMethod",
    "RichardsonLucyMethod",
    "Trained",
    "TrainingData",
    "WienerFilter",
    "adversarial",
    "baselines",
    "dccdm",
    "dps",
    "fit_pattern",
    "fit_wiener",
    "load",
    "mirror_answers",
    "mirror_mean",
    "nearest_neighbour",
    "refit_matrix",
    "refit_pairs",
    "refit_setting",
    "refit_settings",
    "regression",
    "sm_regression",
    "sm_synthesis",
]
