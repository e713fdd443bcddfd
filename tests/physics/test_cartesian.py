import math

import pytest
import torch

from mpinotes.physics import CartesianScan, Particle, point_response

PARTICLE = Particle(25e-9)
GRADIENT = (1.5, 0.7, -2.2)


def test_the_point_response_at_the_ffp_is_a_third_of_beta():
    at_ffp = point_response(torch.zeros(3, dtype=torch.float64), PARTICLE, GRADIENT)
    assert at_ffp.item() == pytest.approx(PARTICLE.beta / 3, rel=1e-14)


def test_the_point_response_has_finite_gradients_at_the_ffp():
    offset = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(point_response(offset, PARTICLE, GRADIENT), offset)
    torch.testing.assert_close(gradient, torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize(
    "name, value",
    [
        ("gradient", (1.0, 1.0, 1.0)),
        ("gradient", (1.0, -1.0, 0.0)),
        ("gradient", (1.0, -1.0)),
        ("gradient", (1.0, math.nan, -1.0)),
        ("drive_axis", "w"),
        ("voxel_size", 0.0),
        ("voxel_size", 1.0),
        ("gradient", (1500.0, 1500.0, -3000.0)),
        ("gradient", (1.0, math.inf, -math.inf)),
        ("subvoxels", 0),
        ("drive_frequency", (0.0, 1e3)),
        ("drive_frequency", (2e3, 1e3)),
        ("drive_frequency", (1e3,)),
        ("drive_frequency", (1e3, math.nan)),
        ("overscan", 0.9),
        ("samples", 7),
        ("samples", 2),
        ("samples", 0),
        ("samples", 8.0),
        ("coil_sensitivity", -1e-3),
        ("noise", -1e-6),
        ("noise", math.nan),
        ("noise", math.inf),
    ],
    ids=str,
)
def test_an_impossible_scan_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        CartesianScan(**{name: value})
