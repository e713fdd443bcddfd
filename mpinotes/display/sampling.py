"""A network that samples under the reader's hands: torch with a kernel, the page's own script without."""

import html
from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.figure import Figure

from mpinotes.data import CALIBRATION_NOISE, MatrixPairs, add_calibration_noise
from mpinotes.diffusion import ConditionDecay, Schedule
from mpinotes.display.controls import Choice, Slider
from mpinotes.display.curves import curves_html, tabulate_curves
from mpinotes.display.explorer import Explorer, live_figure, page_script, static_figure, to_png
from mpinotes.display.figures import IMAGE_MAP
from mpinotes.display.synthesis import (
    Comparison,
    ConditionedEstimate,
    KeptStep,
    SampledState,
    gaussian_path,
    kept_steps,
    walk,
)
from mpinotes.evaluation import phase_of_peak
from mpinotes.methods import Trained, sm_synthesis

CALLS = ("1", "2", "4", "8", "16", "32")
"""How many network calls a sample may take."""

PLAIN_SAMPLERS = {"DDIM": "ddim", "ancestral": "derived"}
"""Names of `Sampling.sampler` by the title that a reader sees."""

DECAY_SAMPLERS = {"derived": "derived", "as printed": "printed", "DDIM": "ddim"}
"""The same where the two readings of Algorithm 2 are known."""

NOISES = {"none": 0.0, "as in the calibration": CALIBRATION_NOISE, "four times that": 4 * CALIBRATION_NOISE}
"""Noise levels of the condition by title."""

DECAY_SLIDERS = (
    Slider("eta_max", "η max", 0.0, 1.0, 0.05, ConditionDecay.eta_max),
    Slider("gamma", "γ", 0.0, 4.0, 0.25, ConditionDecay.gamma),
    Slider("w_max", "w max", 1.0, 2.0, 0.1, ConditionDecay.w_max),
    Slider("w_min", "w min", 0.0, 1.0, 0.1, ConditionDecay.w_min),
    Slider("sigma", "σ", 0.0, 4.0, 0.25, ConditionDecay.sigma),
)
"""The five numbers of a `ConditionDecay`, from its defaults."""

CONSTANT = {"eta_max": 0.0, "w_min": 1.0}
"""Numbers of a decay that leaves the condition clean and at full weight."""

PICTURES = {
    "condition": "y, low gradient",
    "entered": "y as it enters",
    "x": "x_t, the sample",
    "estimate": "x̂₀, the estimate",
    "truth": "x₀, the truth",
    "error": "error, 0 to 0.25",
}
"""What the page paints, the first five from −1 to 1."""


@dataclass(frozen=True)
class Example:
    """A component to be sampled, real and imaginary parts of both channels as (1, 4, y, x).

    :param orders: its mixing order, (1, 2).
    :param truth: at the high gradient, in the phase that makes it real.
    :param conditions: at the low gradient, by noise, in the phase that the network gets.
    :param turns: what leads from that phase to the truth's, see `Comparison`.
    """

    orders: torch.Tensor
    truth: torch.Tensor
    conditions: dict[str, torch.Tensor]
    turns: dict[str, torch.Tensor]


def explore_sampling(
    networks: Mapping[str, Trained],
    pairs: MatrixPairs,
    *,
    alt: str,
    decay: bool = True,
    gaussian: tuple[float, float] | None = None,
) -> Explorer:
    """Networks of `sm_synthesis` that sample components of `pairs` where the reader looks.

    With a kernel torch samples at every change. In the built book the page does: its script runs the network by
    itself, whose weights it fetches when the reader asks for a sample. Both draw the same random numbers.

    :param networks: by the title that the reader sees; the book has files of the released ones.
    :param pairs: components of one setting, without noise.
    :param alt: describes the figure in words.
    :param decay: whether the condition decays, under five sliders; else it stays clean and at full weight.
    :param gaussian: mean and standard deviation of numbers that go the same way with their exact denoiser.
    :raises ValueError: for networks of another kind, or none.

    >>> from mpinotes.data import PAPER_TEST, matrix_pairs
    >>> from mpinotes.methods import load
    >>> pairs = matrix_pairs([PAPER_TEST], torch.tensor([[3, 2]]))
    >>> explorer = explore_sampling({"Algorithm 1": load("sm_algorithm1")}, pairs, decay=False, alt="A component")
    >>> "sm_algorithm1" in explorer.static
    True
    """
    for title, one in networks.items():
        if not isinstance(one.method, sm_synthesis.SynthesisMethod):
            raise ValueError(
                f"networks: got {title!r}, a {one.method.title}, accepted are diffusions of system matrices"
            )
    schedules = [one.config.objective.schedule for one in networks.values()]
    if not schedules or any(schedule != schedules[0] for schedule in schedules):
        raise ValueError(f"networks: got {len(networks)}, accepted are one or more with the same noise schedule")
    schedule = schedules[0]
    progress = _progress(schedule)
    samplers = DECAY_SAMPLERS if decay else PLAIN_SAMPLERS
    noises = NOISES if decay else dict(list(NOISES.items())[:1])
    # Copies, which stay here in evaluation mode wherever the caller takes his.
    estimates = {title: ConditionedEstimate(deepcopy(one.model).cpu(), one.config) for title, one in networks.items()}
    examples = {f"({n}, {m})": make_example(pairs, index, noises) for index, (n, m) in enumerate(pairs.orders.tolist())}
    choices = [
        Choice("network", "network", tuple(networks), next(iter(networks))),
        Choice("component", "component (n, m)", tuple(examples), next(iter(examples))),
        Choice("noise", "noise of y", tuple(noises), next(iter(noises))),
        Choice("sampler", "sampler", tuple(samplers), next(iter(samplers))),
        Choice("calls", "network calls", CALLS, "8"),
    ]
    controls = [
        *(choice for choice in choices if len(choice.options) > 1),
        *(DECAY_SLIDERS if decay else ()),
        Slider("seed", "seed", 0, 20, 1, 0),
    ]
    first = {choice.name: choice.value for choice in choices}

    def render(**moved: Any) -> bytes:
        picked = {**first, **moved}
        numbers = {slider.name: picked[slider.name] for slider in DECAY_SLIDERS} if decay else CONSTANT
        sampler, example, noise = samplers[picked["sampler"]], examples[picked["component"]], picked["noise"]
        steps = kept_steps(sampler, schedule, int(picked["calls"]))
        levels, weights = decay_curves(np.array([step.t for step in steps]) / schedule.steps, **numbers).values()
        path = walk(
            estimates[picked["network"]],
            example.conditions[noise],
            example.orders,
            steps,
            list(zip(weights.tolist(), levels.tolist(), strict=True)),
            one_noise=sampler == "printed",
            seed=int(picked["seed"]),
        )
        return to_png(_draw(example, noise, list(path), steps))

    data: dict[str, Any] = {
        "sampling": {
            "networks": {title: trained.card["method"] for title, trained in networks.items()},
            "components": {title: _for_page(example) for title, example in examples.items()},
            "noises": list(noises),
            "calls": CALLS,
            "samplers": {
                title: {
                    "printed": name == "printed",
                    "steps": [_steps_for_page(kept_steps(name, schedule, int(n)), schedule, progress) for n in CALLS],
                }
                for title, name in samplers.items()
            },
            "steps": schedule.steps,
            "side": pairs.low.shape[-1],
            "colours": (255 * colormaps[IMAGE_MAP](np.arange(256))[:, :3]).round().astype(int).tolist(),
        },
        "worker": "\n".join(page_script(name) for name in ("runner.js", "arrays.js", "normal.js", "worker.js")),
    }
    if decay:
        labels = {"xlabel": "t / T (sampling runs from right to left)", "ylabel": "η_t, w_t [1]"}
        data["curves"] = tabulate_curves(partial(decay_curves, progress), DECAY_SLIDERS, progress, **labels)
    if gaussian is not None:
        x = torch.linspace(-3.5, 3.5, 141, dtype=torch.float64, device="cpu")
        states = [gaussian_path(*gaussian, schedule, int(n), x) for n in CALLS]
        data["sampling"]["gaussian"] = {"x": x.numpy().round(3).tolist(), "states": states}
    still = render(**{control.name: control.value for control in controls})
    body = _body(alt, decay=decay, gaussian=gaussian is not None)
    scripts = ["arrays.js", "normal.js", "curves.js", "sampling.js"]
    return Explorer(live_figure(render, controls), static_figure(controls, body, still, scripts, data, alt))


def decay_curves(progress: np.ndarray, **numbers: float) -> dict[str, np.ndarray]:
    """η_t and w_t of a `ConditionDecay` with these numbers, at `progress` = t/T in [0, 1], (n,).

    >>> import numpy as np
    >>> decay_curves(np.array([0.0, 1.0]), w_min=0.25)
    {'η_t': array([0.1, 0. ]), 'w_t': array([0.25, 1.  ])}
    """
    decay = ConditionDecay(**numbers)
    return {"η_t": decay.eta(progress), "w_t": decay.weight(progress)}


def _progress(schedule: Schedule) -> np.ndarray:
    """Places at which the curves are drawn: an even grid, and every kept step."""
    kept = [t for calls in CALLS for t in schedule.kept_steps(int(calls))]
    even = torch.linspace(0, schedule.steps, 21, device="cpu").round().long().tolist()
    return np.array(sorted({*kept, *even})) / schedule.steps


def make_example(pairs: MatrixPairs, index: int, noises: Mapping[str, float]) -> Example:
    """Component `index` of `pairs` with these noise levels, by title, on its condition."""
    truth = pairs.high[index : index + 1]
    upright = phase_of_peak(truth)
    conditions, turns = {}, {}
    for title, noise in noises.items():
        low = (add_calibration_noise(pairs, noise) if noise else pairs).low[index : index + 1]
        aligned = sm_synthesis.align_phase(low)
        # Rounded as the page has them, so that a reader with a kernel sees the same.
        conditions[title] = sm_synthesis.to_channels(low * aligned).half().float()
        turns[title] = torch.view_as_real((upright / aligned)[:, :, 0, 0]).float()
    channels = sm_synthesis.to_channels(truth * upright).half().float()
    return Example(pairs.orders[index : index + 1], channels, conditions, turns)


def _for_page(example: Example) -> dict[str, Any]:
    def halves(x: torch.Tensor) -> str:
        return b64encode(x.half().numpy().astype("<f2").tobytes()).decode()

    return {
        "orders": example.orders[0].tolist(),
        "truth": halves(example.truth),
        "conditions": [
            {"channels": halves(condition), "turn": example.turns[title].flatten().tolist()}
            for title, condition in example.conditions.items()
        ],
    }


def _steps_for_page(steps: list[KeptStep], schedule: Schedule, progress: np.ndarray) -> list[dict[str, Any]]:
    return [{**asdict(step), "at": int(np.abs(progress - step.t / schedule.steps).argmin())} for step in steps]


def _body(alt: str, *, decay: bool, gaussian: bool) -> str:
    """What ``sampling.js`` fills."""
    pictures = "".join(
        f'<figure><canvas data-role="{role}" role="img" aria-label="{html.escape(title)}"></canvas>'
        f"<figcaption>{html.escape(title)}</figcaption></figure>"
        for role, title in PICTURES.items()
        if decay or role != "entered"
    )
    return (
        (curves_html("Noise level and weight of the condition over t/T") if decay else "")
        + '<p data-keeps-still><button type="button" data-role="sample">'
        + "Let the network sample (fetches its weights)</button></p>"
        + f'<div data-role="strip" aria-label="{html.escape(alt)}" role="group" hidden>'
        + f'<div class="pictures">{pictures}</div>'
        + '<p class="walk"><button type="button" data-role="back" aria-label="one step back">◀</button>'
        + '<input type="range" data-role="step" aria-label="step of the sampler" min="0" max="8" value="0">'
        + "<output></output>"
        + '<button type="button" data-role="forward" aria-label="one step on">▶</button></p>'
        + '<p class="key"><span>−1</span><span class="scale"></span><span>1</span></p></div>'
        + '<p data-role="status" aria-live="polite"></p>'
        + (curves_html("Numbers that are sampled with their exact denoiser", "gaussian") if gaussian else "")
    )


def _draw(example: Example, noise: str, path: list[SampledState], steps: list[KeptStep]) -> Figure:
    """The low-gradient component, up to five of the estimates, the truth and the error of the sample, x coil."""
    compare: Callable[..., tuple[torch.Tensor, ...]] = Comparison()
    turn = example.turns[noise]
    shown = sorted({round(place) for place in np.linspace(0, len(path) - 1, min(len(path), 5))})
    images = {PICTURES["condition"]: compare(example.conditions[noise], turn, example.truth)[0]}
    for call in shown:
        title = f"call {call + 1}, t = {steps[call].t}"
        images[title] = compare(path[call].x0, turn, example.truth)[1]
    images[PICTURES["truth"]] = example.truth[:, ::2]
    _, _, error, psnr = compare(path[-1].x0, turn, example.truth)
    figure, axes = plt.subplots(1, len(images) + 1, figsize=(9.6, 1.9), layout="constrained")
    for axis, (title, image) in zip(axes, images.items(), strict=False):
        axis.imshow(image[0, 0], origin="lower", vmin=-1, vmax=1, cmap=IMAGE_MAP)
        axis.set_title(title, fontsize=8)
    axes[-1].imshow(error[0, 0], origin="lower", vmin=0, vmax=0.25, cmap=IMAGE_MAP)
    axes[-1].set_title(PICTURES["error"], fontsize=8)
    for axis in axes:
        axis.set(xticks=(), yticks=(), xlabel="x")
    axes[0].set_ylabel("y")
    first, second = psnr[0].tolist()
    figure.suptitle(f"{len(path)} calls: PSNR {first:.2f} dB (x coil, shown), {second:.2f} dB (y coil)", fontsize=10)
    return figure
