"""The two papers and their baselines, composed from the rooms below."""

from mpinotes.methods import baselines, dccdm, sm_regression, sm_synthesis
from mpinotes.methods.recipes import METHODS, Recipe
from mpinotes.methods.released import load

__all__ = ["METHODS", "Recipe", "baselines", "dccdm", "load", "sm_regression", "sm_synthesis"]
