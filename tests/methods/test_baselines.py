import torch

from mpinotes.data import MatrixSetting, matrix_pairs
from mpinotes.methods import baselines
from mpinotes.physics import mixing_orders


def test_physics_finds_the_core_diameter_and_the_matrix():
    orders = mixing_orders(2, 3)
    truth = matrix_pairs([MatrixSetting(33e-9, 25e3, 9)], orders, shape=(8, 8))
    guess = MatrixSetting(60e-9, 25e3, 9)
    found, diameter = baselines.refit_matrix(truth.low, guess, orders, [31e-9, 33e-9, 35e-9])
    assert diameter == 33e-9
    torch.testing.assert_close(found, truth.high)
