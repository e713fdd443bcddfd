import torch

from mpinotes.data import available_vessels, image_split
from mpinotes.methods import load
from mpinotes.studies.consistency import degradation_step, scanner_step, seconds_per_volume


def test_the_truth_all_but_stays_where_the_scanners_own_model_puts_it_and_d_moves_it():
    """What is left of the step of the scanner's model is noise; D explains the data in part only."""
    truth, x_lr = available_vessels("test", 2).volumes, image_split("test", 2).x_lr
    moved_by_d = degradation_step(load("ddpm").config.degradation, x_lr)(truth) - truth
    moved_by_scanner = scanner_step("test", 2)(truth) - truth
    assert moved_by_scanner.square().mean() < 0.1 * moved_by_d.square().mean()


def test_steps_come_closer_to_the_truth_from_far_away():
    truth = available_vessels("test", 2).volumes
    step, x = scanner_step("test", 2), torch.zeros_like(truth)
    errors = []
    for _ in range(4):
        x = step(x)
        errors.append((x - truth).square().mean().item())
    assert errors == sorted(errors, reverse=True) and x.min() >= 0 and x.max() <= 1


def test_a_step_takes_time():
    assert seconds_per_volume(lambda x: x + 1, torch.zeros(2, 1, 8, 8, 8)) > 0
