"""MPI physics: particles, scans, system matrices, reconstruction. SI units throughout."""

from mpinotes.physics.cartesian import CartesianScan, ScanSignal, point_response, simulate_scan
from mpinotes.physics.kaczmarz import kaczmarz
from mpinotes.physics.lissajous import LissajousScan, SystemMatrix, mixing_orders, simulate_system_matrix
from mpinotes.physics.particles import Particle, langevin, langevin_derivative, langevin_ratio
from mpinotes.physics.xspace import reconstruct_tikhonov, reconstruct_xspace

__all__ = [
    "CartesianScan",
    "LissajousScan",
    "Particle",
    "ScanSignal",
    "SystemMatrix",
    "kaczmarz",
    "langevin",
    "langevin_derivative",
    "langevin_ratio",
    "mixing_orders",
    "point_response",
    "reconstruct_tikhonov",
    "reconstruct_xspace",
    "simulate_scan",
    "simulate_system_matrix",
]
