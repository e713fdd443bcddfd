"""Differentiable image operators: the degradation D and the frequency masks and loss."""

from mpinotes.operators.degradation import Degradation
from mpinotes.operators.degradation_fit import fit_degradation
from mpinotes.operators.frequency import frequency_alignment_loss, frequency_terms, spherical_masks

__all__ = ["Degradation", "fit_degradation", "frequency_alignment_loss", "frequency_terms", "spherical_masks"]
