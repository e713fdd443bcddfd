import matplotlib.pyplot as plt
import pytest
import torch

from mpinotes.display import IMAGE_MAP, explore_turn, show_components, show_l_curve, show_projections
from mpinotes.display.figures import WIDEST
from mpinotes.reconstruction import LCurve


def images(figure):
    return [image for axis in figure.axes for image in axis.get_images()]


def test_projections_share_one_scale_and_map_and_label_their_axes():
    figure = show_projections({"a": torch.rand(4, 5, 6), "b": 2 * torch.rand(4, 5, 6)})
    assert len(images(figure)) == 4
    assert len({image.get_clim() for image in images(figure)}) == 1
    assert {image.get_cmap().name for image in images(figure)} == {IMAGE_MAP}
    labels = {axis.get_xlabel() for axis in figure.axes} | {axis.get_ylabel() for axis in figure.axes}
    assert {"x [mm]", "y [mm]", "z [mm]"} <= labels
    plt.close(figure)


def test_figures_of_many_columns_are_no_wider_than_a_page():
    for figure in (
        show_projections({str(i): torch.rand(4, 4, 4) for i in range(7)}),
        show_components({"high": torch.rand(7, 4, 4)}, list("abcdefg")),
    ):
        assert figure.get_figwidth() <= WIDEST
        plt.close(figure)


def test_components_share_one_signed_scale():
    figure = show_components({"low": torch.rand(3, 4, 4), "high": -torch.rand(3, 4, 4)}, ["a", "b", "c"])
    assert len(images(figure)) == 6 and {image.get_clim() for image in images(figure)} == {(-1.0, 1.0)}
    plt.close(figure)


def test_complex_components_are_turned_to_the_phase_of_the_first_row():
    first = torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(0))
    turn = torch.polar(torch.ones(2, 1, 1), torch.tensor([1.0, -2.0])[:, None, None])
    figure = show_components({"high": first * turn, "low": -0.5 * first * turn}, ["a", "b"])
    shown = [torch.as_tensor(image.get_array().filled()) for image in images(figure)]
    torch.testing.assert_close(shown[:2], list(first))
    torch.testing.assert_close(shown[2:], list(-0.5 * first))
    plt.close(figure)


def test_an_l_curve_has_every_point_its_label_and_a_ring_at_the_corner():
    curve = LCurve((0.1, 1.0, 10.0), torch.tensor([0.10, 0.11, 1.0]), torch.tensor([9.0, 1.1, 1.0]))
    figure = show_l_curve(curve, residual="[V]")
    (axis,) = figure.axes
    line, ring = axis.lines
    assert list(line.get_xdata()) == pytest.approx(curve.residual.tolist())
    assert list(ring.get_ydata()) == pytest.approx([1.1])
    assert [text.get_text().strip() for text in axis.texts] == ["λ = 0.1", "λ = 1", "λ = 10"]
    assert axis.get_xscale() == axis.get_yscale() == "log" and "[V]" in axis.get_xlabel()
    plt.close(figure)


VOLUME = torch.rand(4, 4, 4, generator=torch.Generator().manual_seed(0))
COMPONENTS = torch.complex(VOLUME[:2], VOLUME[2:])


@pytest.mark.parametrize(
    "volume",
    [VOLUME.clone().requires_grad_(), VOLUME.bfloat16(), VOLUME.half(), VOLUME > 0.5, (9 * VOLUME).int(), -VOLUME],
)
def test_volumes_of_any_real_kind_are_drawn(volume):
    figure = show_projections({"a": volume})
    figure.canvas.draw()
    assert len(images(figure)) == 2
    plt.close(figure)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_components_of_any_kind_are_drawn(dtype):
    rows = {"a": COMPONENTS.clone().requires_grad_(), "b": COMPONENTS.real.to(dtype)}
    figure = show_components(rows, ["(2, 0)", "(1, 1)"])
    assert len(images(figure)) == 4
    plt.close(figure)


@pytest.mark.parametrize(
    ("volumes", "message"),
    [
        ({}, "volumes: got none"),
        (VOLUME, "volumes: got Tensor"),
        ([VOLUME], "volumes: got list"),
        ({"a": VOLUME.numpy()}, "volumes, a: got ndarray"),
        ({"a": VOLUME[None]}, "volumes, a: got shape"),
        ({"a": VOLUME + 0j}, "volumes, a: got dtype torch.complex64"),
        ({"a": VOLUME, "b": VOLUME * float("nan")}, "volumes, b: got NaN or infinite"),
    ],
)
def test_other_volumes_are_refused_by_name(volumes, message):
    for call in (lambda: show_projections(volumes), lambda: explore_turn(volumes, alt="A cube")):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


@pytest.mark.parametrize("voxel_size", [0.0, -1e-3, float("nan"), None, 1.0])
def test_a_voxel_size_is_a_length_in_metres(voxel_size):
    with pytest.raises(ValueError, match="^voxel_size: got"):
        show_projections({"a": VOLUME}, voxel_size=voxel_size)


@pytest.mark.parametrize(
    ("rows", "titles", "message"),
    [
        ({"a": COMPONENTS}, ["one"], "titles: got .*, accepted are as many as the first of rows has columns, 2"),
        ({"a": COMPONENTS}, None, "titles: got None"),
        # A single column was shown twice, turned to the phases of two.
        ({"a": COMPONENTS, "b": COMPONENTS[:1]}, ["one", "two"], "rows: got 1 columns of 'b', accepted are 2"),
        ({}, [], "rows: got none"),
        ({"a": COMPONENTS[0]}, ["one"], "rows, a: got shape"),
    ],
)
def test_other_components_are_refused_by_name(rows, titles, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        show_components(rows, titles)
