"""The one table of sizes. Notebooks and the command line ask it and carry no numbers of their own."""

from dataclasses import dataclass

from mpinotes.checks import check_choice


@dataclass(frozen=True)
class Profile:
    """How much of everything one run does.

    `train_volumes`, `test_volumes`: at most that many of a split. `regularizations`: the values of
    λ that chapter 1 tries. `image_steps`, `matrix_steps`: training steps from nothing. `term_steps`:
    of each variant in the study of DCCDM's terms. `sampling_steps`, `matrix_calls`: network calls per
    sample, for volumes and for components of matrices. `matrix_settings`,
    `matrix_components`: how many of the at most 90 settings and 168 components are simulated. The studies:
    `guided_steps` of ancestral sampling and DPS; `call_steps` and `call_volumes` of quality against
    calls; `shift_volumes` per condition; `samples` of each of `sample_volumes` for uncertainty.

    >>> from dataclasses import replace
    >>> replace(get_profile("full"), image_steps=100).image_steps
    100
    """

    name: str
    train_volumes: int
    test_volumes: int
    regularizations: tuple[float, ...]
    image_steps: int
    matrix_steps: int
    term_steps: int
    sampling_steps: int
    guided_steps: int
    call_steps: tuple[int, ...]
    call_volumes: int
    shift_volumes: int
    samples: int
    sample_volumes: int
    matrix_calls: int
    matrix_settings: int
    matrix_components: int


PROFILES = {
    "smoke": Profile(
        name="smoke",
        train_volumes=16,
        test_volumes=8,
        regularizations=(5.0,),
        image_steps=12,
        matrix_steps=20,
        term_steps=3,
        sampling_steps=2,
        guided_steps=4,
        call_steps=(2, 4),
        call_volumes=2,
        shift_volumes=2,
        samples=3,
        sample_volumes=2,
        matrix_calls=4,
        matrix_settings=2,
        matrix_components=12,
    ),
    "book": Profile(
        name="book",
        train_volumes=128,
        test_volumes=382,
        regularizations=(2.0, 5.0, 12.0),
        image_steps=60,
        matrix_steps=60,
        term_steps=60,
        sampling_steps=2,
        guided_steps=50,
        call_steps=(2, 4, 8, 16, 50),
        call_volumes=16,
        shift_volumes=16,
        samples=4,
        sample_volumes=4,
        matrix_calls=20,
        matrix_settings=6,
        matrix_components=168,
    ),
    "full": Profile(
        name="full",
        train_volumes=1335,
        test_volumes=382,
        regularizations=(1.0, 2.0, 5.0, 12.0, 30.0),
        image_steps=11000,
        matrix_steps=6000,
        term_steps=600,
        sampling_steps=2,
        guided_steps=30,
        call_steps=(2, 4, 8, 16, 50, 250, 1000),
        call_volumes=32,
        shift_volumes=48,
        samples=16,
        sample_volumes=16,
        matrix_calls=20,
        matrix_settings=90,
        matrix_components=168,
    ),
}


def get_profile(name: str) -> Profile:
    """The profile "smoke", "book" or "full".

    >>> get_profile("full").matrix_components
    168
    """
    check_choice("profile", name, PROFILES)
    return PROFILES[name]
