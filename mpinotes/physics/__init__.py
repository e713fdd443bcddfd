"""MPI physics: particles, scans, system matrices, reconstruction. SI units throughout."""

from mpinotes.physics.calibration import calibrate
from mpinotes.physics.cartesian import CartesianScan, ScanSignal, point_response, simulate_scan
from mpinotes.physics.disturbance import add_coloured_noise, add_drifting_background, add_impulsive_noise
from mpinotes.physics.kaczmarz import KaczmarzState, kaczmarz, kaczmarz_sweeps
from mpinotes.physics.lissajous import LissajousScan, SystemMatrix, mixing_orders, orders_in_band
from mpinotes.physics.particles import FWHM, FWHM_ACROSS, Particle, langevin, langevin_derivative, langevin_ratio
from mpinotes.physics.patterns import order_patterns
from mpinotes.physics.receiver import Receiver
from mpinotes.physics.relaxation import brownian_time, debye_response
from mpinotes.physics.system_matrix import simulate_system_matrix
from mpinotes.physics.xspace import (
    noise_regularization,
    reconstruct_tikhonov,
    reconstruct_xspace,
    recover_fundamental,
)

__all__ = [
    "FWHM",
    "FWHM_ACROSS",
    "CartesianScan",
    "KaczmarzState",
    "LissajousScan",
    "Particle",
    "Receiver",
    "ScanSignal",
    "SystemMatrix",
    "add_coloured_noise",
    "add_drifting_background",
    "add_impulsive_noise",
    "brownian_time",
    "calibrate",
    "debye_response",
    "kaczmarz",
    "kaczmarz_sweeps",
    "langevin",
    "langevin_derivative",
    "langevin_ratio",
    "mixing_orders",
    "noise_regularization",
    "order_patterns",
    "orders_in_band",
    "point_response",
    "reconstruct_tikhonov",
    "reconstruct_xspace",
    "recover_fundamental",
    "simulate_scan",
    "simulate_system_matrix",
]
