"""From what a scanner measures back to an image: x-space, Tikhonov, Kaczmarz."""

from mpinotes.reconstruction.kaczmarz import KaczmarzState, kaczmarz, kaczmarz_sweeps
from mpinotes.reconstruction.tikhonov import reconstruct_tikhonov
from mpinotes.reconstruction.xspace import noise_regularization, reconstruct_xspace, recover_fundamental

__all__ = [
    "KaczmarzState",
    "kaczmarz",
    "kaczmarz_sweeps",
    "noise_regularization",
    "reconstruct_tikhonov",
    "reconstruct_xspace",
    "recover_fundamental",
]
