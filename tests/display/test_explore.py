import base64
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

import mpinotes.display
from mpinotes.display import Choice, Explorer, Slider, explore_curves, explore_frames

VIEW = "application/vnd.jupyter.widget-view+json"
SLIDER = Slider("gamma", "γ", 0.0, 1.0, 0.5, 0.5)


def draw(value):
    figure, axis = plt.subplots()
    axis.plot([0, value])
    return figure


def test_one_output_carries_the_live_widget_and_the_static_page():
    explorer = explore_frames(draw, SLIDER, alt="a line")
    bundle = explorer._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/html"] == explorer.static
    assert bundle[VIEW] == {"version_major": 2, "version_minor": 0, "model_id": explorer.live.model_id}


def test_the_view_is_the_one_that_ipywidgets_8_makes():
    live = explore_frames(draw, SLIDER, alt="a line").live
    assert Explorer(live, "")._repr_mimebundle_()[VIEW] == live._repr_mimebundle_()[VIEW]


def test_a_widget_of_ipywidgets_7_has_its_view_too():
    """Colab's 7.7.1: such a widget displays itself and has no bundle to ask for."""

    class Widget7:
        model_id = "5e9d"

        def _ipython_display_(self):
            raise AssertionError("nothing is displayed before the output is")

    assert Explorer(Widget7(), "")._repr_mimebundle_()[VIEW]["model_id"] == "5e9d"


def test_the_static_page_has_one_frame_per_position_and_needs_nothing_from_outside():
    page = explore_frames(draw, SLIDER, alt='a "line"').static
    frames = re.findall(r'<img class="frame" [^>]*>', page)
    assert len(frames) == 3 and all("hidden" in frame for frame in frames)
    assert all("data:image/png" in frame and "a &quot;line&quot;, γ" in frame for frame in frames)
    assert not re.search(r'(src|href)="(?!data:)|https?://(?!www\.w3\.org)|import\(', page)


def test_without_a_script_there_is_a_still_picture_and_a_sentence():
    page = explore_frames(draw, SLIDER, alt="a line").static
    (still,) = re.findall(r'<figure class="still"><img alt="a line" src="([^"]*)">', page)
    shown = page.index('class="controls" hidden') < page.index('class="moving" hidden') < page.index('class="still"')
    assert shown and "A still picture" in page
    assert page.count(still) == 2  # it is the frame of the slider's first value


def test_no_script_builds_code_from_text():
    scripts = Path(mpinotes.display.__file__).parent / "page_scripts"
    for script in scripts.glob("*.js"):
        assert not re.search(r"new Function|\beval\b|innerHTML \+=", script.read_text(encoding="utf-8"))


def test_moving_the_live_slider_changes_the_picture():
    live = explore_frames(draw, SLIDER, alt="a line").live
    slider, picture = live.children
    before = picture.value
    slider.value = 1.0
    assert picture.value != before


X = np.linspace(0, 1, 5)
SLIDERS = [Slider("a", "a", 0.0, 2.0, 0.5, 1.0), Slider("b", "b", 0.0, 2.0, 1.0, 1.0)]
LABELS = {"xlabel": "x", "ylabel": "y", "alt": "a line"}


def test_the_live_curves_follow_every_slider():
    explorer = explore_curves(lambda a, b: {"y": a * X + b}, SLIDERS, X, **LABELS)
    *controls, picture = explorer.live.children
    for control in controls:
        before = picture.value
        control.value = 2.0
        assert picture.value != before


def tables(explorer):
    """Curves and numbers of a page by label: the sliders they depend on, and their values at all positions."""
    text = re.search(r"\nattach\((.*)\);\n}\)\(\);", explorer.static).group(1)
    data = json.loads(text)
    return {
        table["label"]: (
            table["sliders"],
            np.frombuffer(base64.b64decode(table["table"]), "<u2") * table["top"] / 65535,
        )
        for table in [*data["curves"]["lines"], *data["readouts"]]
    }


def test_the_page_holds_what_the_function_says_over_the_sliders_it_depends_on():
    curves = {"both": lambda a, b: a * X + b, "second": lambda a, b: b * X**2, "none": lambda a, b: X}
    explorer = explore_curves(
        lambda **v: {label: curve(**v) for label, curve in curves.items()}, SLIDERS, X, **LABELS,
        readouts={"a squared": lambda a, b: a**2},
    )  # fmt: skip
    found = tables(explorer)
    assert [found[label][0] for label in (*curves, "a squared")] == [["a", "b"], ["b"], [], ["a"]]
    expected = np.stack([a * X + b for a in SLIDERS[0].positions for b in SLIDERS[1].positions])
    np.testing.assert_allclose(found["both"][1].reshape(expected.shape), expected, atol=4 / 65535)
    np.testing.assert_allclose(found["a squared"][1], [a**2 for a in SLIDERS[0].positions], atol=4 / 65535)
    np.testing.assert_allclose(found["none"][1], X, atol=1 / 65535)


def test_a_slider_that_matters_only_where_others_stand_elsewhere_is_found():
    at_rest = [Slider("a", "a", 0.0, 2.0, 0.5, 0.0), SLIDERS[1]]
    explorer = explore_curves(lambda a, b: {"y": a * b * X}, at_rest, X, **LABELS)
    assert tables(explorer)["y"][0] == ["a", "b"]


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_curves_that_cannot_be_drawn_are_refused(bad):
    with pytest.raises(ValueError, match="draw: got values"):
        explore_curves(lambda a, b: {"y": 0 * X + bad}, SLIDERS, X, **LABELS)


def test_readouts_are_shown_live():
    plain, numbered = (
        explore_curves(lambda a, b: {"y": a * X}, SLIDERS, X, **LABELS, readouts=readouts).live.children[-1].value
        for readouts in (None, {"twice a": lambda a, b: 2 * a})
    )
    assert plain != numbered


def test_a_slider_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="gamma"):
        Slider("gamma", "γ", 0.0, 1.0, 0.5, 2.0)


@pytest.mark.parametrize("options", ["DDIM", (), ("printed",)])
def test_a_choice_without_its_value_is_refused(options):
    with pytest.raises(ValueError, match="sampler"):
        Choice("sampler", "sampler", options, "DDIM")


def test_no_position_lies_beyond_the_end():
    """A step of 0.35 came to 1.05."""
    assert Slider("a", "a", 0, 1, 0.35, 0).positions == [0, 0.35, 0.7]
    assert Slider("a", "a", 0, 1, 0.1, 0).positions[-1] == 1 and len(Slider("a", "a", 0, 1, 0.1, 0).positions) == 11


@pytest.mark.parametrize("field", ["low", "high", "step", "value"])
@pytest.mark.parametrize("value", [None, "a", float("nan"), float("inf")])
def test_a_slider_is_of_numbers(field, value):
    with pytest.raises(ValueError, match=f"^a, {field}: got {value!r}"):
        Slider(**{"name": "a", "label": "a", "low": 0, "high": 2, "step": 1, "value": 1} | {field: value})


def test_a_slider_may_start_between_two_frames():
    slider = Slider("width", "width [in]", 1, 3, 1, 2.25)
    explorer = explore_frames(lambda width: plt.figure(figsize=(width, 1)), slider, alt="An empty figure")
    assert explorer.static.count('class="frame"') == 3


SLOPE, X = Slider("a", "slope", 1, 3, 1, 2), np.linspace(0, 1, 5)
LABELS = {"xlabel": "x", "ylabel": "y", "alt": "Lines"}


def test_a_fifth_curve_is_drawn(monkeypatch):
    """There are four styles of lines."""
    drawn = []
    plot = Axes.plot
    monkeypatch.setattr(
        Axes, "plot", lambda self, *args, **options: drawn.append(options) or plot(self, *args, **options)
    )
    explore_curves(lambda a: {str(i): i * a * X for i in range(6)}, [SLOPE], X, **LABELS)
    assert {options["label"] for options in drawn} == set("012345")


def test_curves_and_sliders_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="^draw: got shape .3,. of 'line', accepted is that of x, .5,."):
        explore_curves(lambda a: {"line": a * X[:3]}, [SLOPE], X, **LABELS)
    with pytest.raises(ValueError, match="^sliders: got Slider, accepted is a list or tuple"):
        explore_curves(lambda a: {"line": a * X}, SLOPE, X, **LABELS)
    with pytest.raises(ValueError, match="^slider: got list, accepted is a Slider"):
        explore_frames(plt.figure, [SLOPE], alt="A figure")
