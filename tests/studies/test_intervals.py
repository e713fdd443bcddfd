"""The study of intervals: what is open, the warmer step, and what its record promises the chapter."""

import pytest
import torch

from mpinotes.diffusion import posterior_deviation
from mpinotes.studies import load_record
from mpinotes.studies.intervals import TEMPERATURE, View, warmer


def ball(radius=5.0, side=16):
    axis = torch.arange(side) - (side - 1) / 2
    return (sum(x**2 for x in torch.meshgrid(axis, axis, axis, indexing="ij")) < radius**2).float()[None, None]


def test_what_is_open_does_not_ask_the_truth():
    estimate = 0.8 * ball() + 0.1
    first, second = (View.of("voxel", truth, estimate) for truth in (ball(), ball(3.0)))
    assert torch.equal(first.open, second.open) and first.open.all()
    assert not View.of("voxel", ball(), ball()).open.any()


def test_distances_from_the_wall_have_signs_and_an_end():
    view = View.of("everywhere", ball(), ball())
    assert sorted(set(view.wall.tolist())) == [-3, -2, -1, 1, 2, 3]
    assert torch.equal(view.wall < 0, view.truth == 1)


def test_cubes_hold_the_mean_of_their_voxels():
    answers = torch.rand(2, 1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    view = View.of("cube", ball(), answers.mean(0))
    assert view(answers).shape == (2, 4**3)
    assert view(answers)[1, 0].item() == pytest.approx(answers[1, 0, 0, :4, :4, :4].mean().item(), abs=1e-6)


def test_the_warmer_step_has_so_many_times_the_noise():
    x = torch.zeros(200_000, 1)
    stepped = warmer(x, x, 0.5, 0.75, torch.Generator().manual_seed(0))
    assert stepped.std().item() == pytest.approx(TEMPERATURE * posterior_deviation(0.5, 0.75), rel=0.01)


def test_intervals_hold_on_test_volumes_within_two_per_cent():
    record = load_record("intervals")
    for method in record.methods:
        for target in ("voxel", "cube"):
            row = record.row(method, "coverage", f"{target}/plain/level/0.9")
            assert row.n == 382 and abs(row.mean - 0.9) < 0.02, (method, target)
