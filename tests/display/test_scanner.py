import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.quiver import Quiver

from mpinotes.display import draw_scanner
from mpinotes.physics import CartesianScan, Particle


@pytest.fixture
def drawn():
    figures = []

    def draw(diameter=25e-9, **settings):
        figures.append(draw_scanner(Particle(diameter), CartesianScan(**settings)))
        return figures[-1].axes

    yield draw
    for figure in figures:
        plt.close(figure)


def arrows(axis):
    """Places and directions of its arrows, (number, 2) each."""
    (quiver,) = (artist for artist in axis.collections if isinstance(artist, Quiver))
    return quiver.get_offsets(), np.stack([quiver.U, quiver.V], axis=-1)


def test_the_selection_field_vanishes_at_the_point_and_has_the_signs_of_its_gradients(drawn):
    places, field = arrows(drawn(gradient=(1.0, 2.0, -3.0))[0])
    assert np.allclose(field, places * np.array([1.0, -3.0]) / 3.0)


def test_moments_stand_along_the_field_but_for_those_close_to_the_point(drawn):
    places, moments = arrows(drawn(diameter=25e-9, gradient=(1.5, 1.5, -3.0))[1])
    field = places * np.array([1.5, -3.0])
    strength = np.linalg.norm(field, axis=1)
    for near, below, tolerance in ((8, 20, 0.05), (1, 4, 0.2)):
        ring = (strength > near) & (strength < below)
        u = 959e-3 * strength[ring]  # β of 25 nm is 959 /T
        cosine = (moments * field).sum(1)[ring] / strength[ring]
        assert cosine.mean() == pytest.approx((1 / np.tanh(u) - 1 / u).mean(), abs=tolerance)


def test_lines_are_as_long_as_the_sweep_and_named_after_the_drive(drawn):
    axis = drawn(drive_axis="y", gradient=(1.5, 1.5, -3.0), overscan=1.25)[2]
    lines = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2]
    assert len(lines) == 8 and all(np.allclose(line, (-20, 20)) for line in lines)
    assert axis.get_xlabel() == "y [mm]" and axis.get_ylabel() == "x [mm]"
