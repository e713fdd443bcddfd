"""Draw the pictures of README and front page from the released weights: `make pictures`."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch

from mpinotes.data import CALIBRATION_NOISE, HELD_OUT_TESTS, image_split, matrix_pairs
from mpinotes.display import IMAGE_MAP, show_projections
from mpinotes.evaluation import phase_of_peak
from mpinotes.methods import load

BOOK = Path(__file__).parents[1]


def draw_volumes(out: Path) -> dict[str, torch.Tensor]:
    """The first test volume, its image and both enhancements, as in the README, in `out`; and the three views
    of volume, image and DCCDM, (view, …, …), for the front page."""
    pairs = image_split("test", 1)
    shown = {"x_HR": pairs.x_hr, "x_LR": pairs.x_lr} | {n.upper(): load(n)(pairs.x_lr) for n in ("ddpm", "dccdm")}
    show_projections({title: volume[0, 0] for title, volume in shown.items()}).savefig(out / "result.png", dpi=80)
    return {
        name: torch.stack([shown[title][0, 0].amax(dim) for dim in range(3)])
        for name, title in (("truth", "x_HR"), ("before", "x_LR"), ("after", "DCCDM"))
    }


def draw_components() -> dict[str, torch.Tensor]:
    """Three noisy components of a core that no network saw, in [0, 1], (component, y, x)."""
    orders = torch.tensor([[2, 4], [5, 5], [9, 4]])
    matrix = matrix_pairs([HELD_OUT_TESTS[1]], orders, noise=CALIBRATION_NOISE)
    after = load("sm_algorithm1")(matrix.low, orders)
    turn = phase_of_peak(matrix.high)
    return {
        f"matrix_{name}": (1 + (images * turn)[:, 0].real) / 2
        for name, images in (("truth", matrix.high), ("before", matrix.low), ("after", after))
    }


def main(out: Path = BOOK) -> None:
    """Write result.png and front_*.png."""
    for name, images in (draw_volumes(out) | draw_components()).items():
        pixels = torch.cat(list(images.flip(1)), dim=1).repeat_interleave(12, 0).repeat_interleave(12, 1)
        plt.imsave(out / f"front_{name}.png", pixels.numpy(), vmin=0, vmax=1, cmap=IMAGE_MAP)


if __name__ == "__main__":
    main()
