"""The one table of sizes. Notebooks and the command line ask it and carry no numbers of their own."""

from dataclasses import dataclass, replace
from typing import TypeVar

from mpinotes.checks import check_choice
from mpinotes.data import Amounts
from mpinotes.methods import Method

_M = TypeVar("_M", bound=Method)


@dataclass(frozen=True)
class Profile(Amounts):
    """How much of everything one run does.

    :param name: of the profile.
    :param live_volumes: of the test volumes, those that chapters enhance live.
    :param most_steps: at most so many training steps from nothing.
    :param most_calls: at most so many network calls for one estimate.
    :param term_steps: of each variant in the study of DCCDM's terms.
    :param further_steps: of each variant in the study of what a network is shown.
    :param small_steps: of small networks, in the studies that train dozens of them.
    :param scanner_steps: of the U-Net on another scanner; the other networks take its time.
    :param guided_steps: of ancestral sampling and DPS.
    :param call_steps: of quality against calls.
    :param call_volumes: in that study.
    :param shift_volumes: per condition in the study of other noises and scanners.
    :param samples: of each volume for uncertainty.
    :param sample_volumes: in that study.
    :param interval_volumes: that calibrate and that test intervals.
    :param classical_volumes: that tune and that test the classical reconstructions.
    :param dynamics_stride: every so many points of the maps in the study of dynamics.
    :param regularizations: the values of λ that the chapter on physics tries.

    >>> get_profile("full").matrix_components
    168
    """

    name: str
    live_volumes: int
    most_steps: int
    most_calls: int
    term_steps: int
    further_steps: int
    small_steps: int
    scanner_steps: int
    guided_steps: int
    call_steps: tuple[int, ...]
    call_volumes: int
    shift_volumes: int
    samples: int
    sample_volumes: int
    interval_volumes: tuple[int, int]
    classical_volumes: tuple[int, int]
    dynamics_stride: int
    regularizations: tuple[float, ...]

    def shortened(self, method: _M) -> _M:
        """The method with no more training steps, and calls for one estimate, than this profile has time for.

        >>> from mpinotes.methods import METHODS
        >>> get_profile("smoke").shortened(METHODS["dccdm"]).training.steps
        12
        """
        steps = min(method.training.steps, self.most_steps)
        warmup = min(method.training.warmup, steps // 10)
        training = replace(method.training, steps=steps, warmup=warmup)
        return replace(method, training=training, calls=min(method.calls, self.most_calls))


PROFILES = {
    "smoke": Profile(
        name="smoke",
        train_volumes=16,
        test_volumes=8,
        live_volumes=8,
        classical_volumes=(1, 2),
        dynamics_stride=15,
        regularizations=(5.0,),
        most_steps=12,
        most_calls=4,
        term_steps=3,
        further_steps=2,
        small_steps=2,
        scanner_steps=2,
        guided_steps=4,
        call_steps=(2, 4),
        call_volumes=2,
        shift_volumes=2,
        samples=3,
        sample_volumes=2,
        interval_volumes=(2, 2),
        matrix_settings=2,
        matrix_components=12,
    ),
    "book": Profile(
        name="book",
        train_volumes=128,
        test_volumes=382,
        live_volumes=96,
        classical_volumes=(8, 16),
        dynamics_stride=5,
        regularizations=(2.0, 5.0, 12.0),
        most_steps=60,
        most_calls=20,
        term_steps=60,
        further_steps=60,
        small_steps=30,
        scanner_steps=30,
        guided_steps=50,
        call_steps=(2, 4, 8, 16, 50),
        call_volumes=16,
        shift_volumes=16,
        samples=4,
        sample_volumes=4,
        interval_volumes=(32, 32),
        matrix_settings=6,
        matrix_components=168,
    ),
    "full": Profile(
        name="full",
        train_volumes=1335,
        test_volumes=382,
        live_volumes=382,
        classical_volumes=(12, 96),
        dynamics_stride=1,
        regularizations=(1.0, 2.0, 5.0, 12.0, 30.0),
        most_steps=11_000,
        most_calls=20,
        term_steps=600,
        further_steps=1800,
        small_steps=600,
        scanner_steps=400,
        guided_steps=30,
        call_steps=(2, 4, 8, 16, 50, 250, 1000),
        call_volumes=32,
        shift_volumes=48,
        samples=16,
        sample_volumes=16,
        interval_volumes=(191, 382),
        matrix_settings=90,
        matrix_components=168,
    ),
}
"""The one table of sizes, by name."""


def get_profile(name: str) -> Profile:
    """The profile "smoke", "book" or "full".

    >>> get_profile("full").matrix_components
    168
    """
    check_choice("profile", name, PROFILES)
    return PROFILES[name]
