"""MPI physics: particles, scans, system matrices, receive chain and noise. SI units throughout."""

from mpinotes.physics.anisotropy import mean_moment
from mpinotes.physics.calibration import calibrate
from mpinotes.physics.cartesian import CartesianScan, point_response
from mpinotes.physics.drive_integrals import DriveIntegrals
from mpinotes.physics.easy_axis import FixedAxis, FluidAxis, Powder
from mpinotes.physics.fokker_planck import BrownRotation, NeelRotation, simulate_rotation
from mpinotes.physics.lissajous import LissajousScan
from mpinotes.physics.mixing_orders import mixing_orders, orders_in_band
from mpinotes.physics.mixture import Mixture, log_normal
from mpinotes.physics.noise import add_coloured_noise, add_drifting_background, add_impulsive_noise, add_white_noise
from mpinotes.physics.particles import FWHM, FWHM_ACROSS, Particle, langevin, langevin_derivative, langevin_ratio
from mpinotes.physics.patterns import order_patterns
from mpinotes.physics.periodic_rotation import periodic_rotation
from mpinotes.physics.receiver import Receiver
from mpinotes.physics.relaxation import brownian_time, debye_response, neel_time
from mpinotes.physics.scan_simulation import simulate_scan
from mpinotes.physics.signal import ScanSignal
from mpinotes.physics.system_matrix import SystemMatrix, simulate_system_matrix

__all__ = [
    "FWHM",
    "FWHM_ACROSS",
    "BrownRotation",
    "CartesianScan",
    "DriveIntegrals",
    "FixedAxis",
    "FluidAxis",
    "LissajousScan",
    "Mixture",
    "NeelRotation",
    "Particle",
    "Powder",
    "Receiver",
    "ScanSignal",
    "SystemMatrix",
    "add_coloured_noise",
    "add_drifting_background",
    "add_impulsive_noise",
    "add_white_noise",
    "brownian_time",
    "calibrate",
    "debye_response",
    "langevin",
    "langevin_derivative",
    "langevin_ratio",
    "log_normal",
    "mean_moment",
    "mixing_orders",
    "neel_time",
    "order_patterns",
    "orders_in_band",
    "periodic_rotation",
    "point_response",
    "simulate_rotation",
    "simulate_scan",
    "simulate_system_matrix",
]
