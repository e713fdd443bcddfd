import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mpinotes.diffusion import ConditionDecay
from mpinotes.display import Explorer, Slider, explore_curves, explore_frames

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
    frames = re.findall(r"<img [^>]*>", page)
    assert len(frames) == 3 and sum("hidden" not in frame for frame in frames) == 1
    assert all("data:image/png" in frame and "a &quot;line&quot;, γ" in frame for frame in frames)
    assert not re.search(r'(src|href)="(?!data:)|https?://(?!www\.w3\.org)|import\(', page)


def test_moving_the_live_slider_changes_the_picture():
    live = explore_frames(draw, SLIDER, alt="a line").live
    slider, picture = live.children
    before = picture.value
    slider.value = 1.0
    assert picture.value != before


def test_the_live_curves_follow_every_slider():
    sliders = [Slider("a", "a", 0.0, 2.0, 0.1, 1.0), Slider("b", "b", 0.0, 2.0, 0.1, 1.0)]
    x = np.linspace(0, 1, 5)
    explorer = explore_curves(
        lambda a, b: {"y": a * x + b}, sliders, x, {"y": "a * x + b"}, xlabel="x", ylabel="y", alt="a line"
    )
    *controls, picture = explorer.live.children
    for control in controls:
        before = picture.value
        control.value = 2.0
        assert picture.value != before


def test_readouts_are_shown_live_and_carried_as_formulas():
    sliders, x = [Slider("a", "a", 0.0, 2.0, 0.1, 1.0)], np.linspace(0, 1, 5)
    numbers = {"twice a": (lambda a: 2 * a, "2 * a")}
    explorers = [
        explore_curves(
            lambda a: {"y": a * x}, sliders, x, {"y": "a * x"}, xlabel="x", ylabel="y", alt="a line", readouts=r
        )
        for r in (None, numbers)
    ]
    plain, numbered = (explorer.live.children[-1].value for explorer in explorers)
    assert plain != numbered
    assert '{"label": "twice a", "formula": "2 * a"}' in explorers[1].static


def test_a_slider_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="gamma"):
        Slider("gamma", "γ", 0.0, 1.0, 0.5, 2.0)


def test_the_formulas_of_the_decay_widget_are_those_of_the_package():
    # The book's browser formulas, read from the chapter itself, are Python too.
    import json
    from pathlib import Path

    chapter = json.loads((Path(__file__).parents[2] / "book/42_condition_decay.ipynb").read_text(encoding="utf-8"))
    source = next(s for c in chapter["cells"] for s in c["source"] if s.startswith("formulas = "))
    formulas = eval(source.removeprefix("formulas = "))
    values = {"eta_max": 0.3, "gamma": 1.7, "w_max": 1.4, "w_min": 0.2, "sigma": 2.5}
    decay = ConditionDecay(**values)
    for x in (0.0, 0.3, 1.0):
        assert eval(formulas["η_t"], {"x": x, **values}) == pytest.approx(decay.eta(x))
        assert eval(formulas["w_t"], {"x": x, **values}) == pytest.approx(decay.weight(x))
