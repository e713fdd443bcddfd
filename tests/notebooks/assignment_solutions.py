"""Answers to the assignment, by task: right ones, and the slips that its checks are there to catch."""

RIGHT = {
    1: """
from mpinotes.physics import FWHM


def response_width(diameter, gradient):
    return FWHM / (Particle(diameter).beta * gradient)
""",
    2: """
def average(x):
    return torch.nn.functional.avg_pool3d(x, 2)


def average_adjoint(y):
    for axis in (2, 3, 4):
        y = y.repeat_interleave(2, axis)
    return y / 8
""",
    3: """
from mpinotes.operators import spherical_masks


def best_aligned(x_lr, x_hr, radius):
    low, _ = spherical_masks(tuple(x_lr.shape[-3:]), radius)
    spectra = [torch.fft.fftn(x, dim=(2, 3, 4)) for x in (x_lr, x_hr)]
    return torch.fft.ifftn(torch.where(low, *spectra), dim=(2, 3, 4)).real
""",
    4: """
def step_back(x, x0, alpha_bar_t, alpha_bar_prev):
    noise = (x - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5
    return alpha_bar_prev**0.5 * x0 + (1 - alpha_bar_prev) ** 0.5 * noise
""",
    5: """
def compare(a, b):
    difference = a - b
    mean, spread = difference.mean().item(), difference.std().item() / len(difference) ** 0.5
    return mean, mean - 1.96 * spread, mean + 1.96 * spread
""",
    6: """
edges = torch.linspace(0, 1, 33)[1:-1]
bins = torch.bucketize(train_pairs.x_lr, edges)
count = torch.bincount(bins.flatten(), minlength=32)
curve = torch.bincount(bins.flatten(), weights=train_pairs.x_hr.flatten(), minlength=32) / count.clamp_min(1)


def enhance(x_lr):  # the mean of the truth, given the value of the voxel
    return curve[torch.bucketize(x_lr, edges)].float()
""",
}

# Task -> the answer, and what the check says of it.
WRONG = {
    1: (
        "def response_width(diameter, gradient):\n    return 1 / (Particle(diameter).beta * gradient)",
        "half a width from the middle the response is",
    ),
    2: (RIGHT[2].replace(" / 8", ""), "but ⟨x, Pᵀy⟩ is"),
    3: ("def best_aligned(x_lr, x_hr, radius):\n    return x_hr", "and there is one with 0"),
    4: (RIGHT[4].replace("alpha_bar_prev**0.5 * x0", "x0"), "away from those of the package"),
    5: (
        "def compare(a, b):\n    spread = (a.var() / len(a) + b.var() / len(b)) ** 0.5\n"
        "    mean = (a - b).mean()\n    return mean, mean - 1.96 * spread, mean + 1.96 * spread",
        "and pairing leaves",
    ),
    6: ("def enhance(x_lr):\n    return x_lr", "1 dB solves the task"),
}
