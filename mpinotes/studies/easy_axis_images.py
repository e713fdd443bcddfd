"""Phantoms reconstructed with the matrices of particles with an easy axis."""

from pathlib import Path

from mpinotes.data import (
    NOISES,
    TRAIN_SEED,
    ParticleSetting,
    add_calibration_noise,
    available_vessels,
    in_corner,
    matrix_test_pairs,
    matrix_train_pairs,
    particle_split,
    points,
    resolution_bars,
)
from mpinotes.studies.easy_axis import SPLIT
from mpinotes.studies.profiles import Profile
from mpinotes.studies.reconstruction import ANCHORS, OWN_LOW, TRUE_HIGH, Found, reconstruct_all
from mpinotes.studies.record import Record
from mpinotes.studies.rows import Subject
from mpinotes.studies.synthesisers import synthesisers

STUDY = "easy_axis_images"

MEASUREMENT_NOISE = 1e-4
"""Of the phantom's voltages, a tenth of that of the study "reconstruction": there the noise of the measurement hides
how good a matrix is."""

PICTURED = ("fluid_between/noisy", "immobilised_between/noisy")
"""Whose images are kept in the record."""


def run(profile: Profile, runs: Path) -> Record:
    """PSNR and SSIM of reconstructed vessels, bars and points, for one test setting of each kind between those of the
    training and one in a corner.

    Conditions: "KIND_PLACE/NOISE", with "/PHANTOM" behind for the images.
    """
    test, tuning = (available_vessels(split, profile.sample_volumes) for split in ("test", "val"))
    phantoms = {"vessels": test.volumes.amax(2)[:, 0], "bars": resolution_bars(), "points": points()}
    train = matrix_train_pairs(profile, SPLIT)
    titles = {TRUE_HIGH: "true high gradient", OWN_LOW: "low gradient, own measurement", "phantom": "phantom"}
    found = Found([], [], [Subject(STUDY, "phantom", name).picture("z", x[0]) for name, x in phantoms.items()])
    for noise, level in NOISES.items():
        methods = synthesisers(profile, SPLIT, add_calibration_noise(train, level, seed=TRAIN_SEED), runs)
        titles |= {key: method.title for key, method in methods.items() if key != "low"}
        for name, setting in imaged_settings().items():
            pairs, clean = (matrix_test_pairs(profile, [setting], x) for x in (level, 0.0))
            images = {key: method.synthesise(pairs, [setting]) for key, method in methods.items() if key != "low"}
            results = reconstruct_all(
                images, pairs, clean.low_voltage, phantoms, tuning.volumes.amax(2)[:, 0],
                noise=level, case=Subject(STUDY, "", f"{name}/{noise}"), pictures=f"{name}/{noise}" in PICTURED,
                measurement_noise=MEASUREMENT_NOISE,
            )  # fmt: skip
            found += results
            vessels = [row for row in results.rows if row.condition.endswith("/vessels") and row.metric == "psnr"]
            print(name, noise, {row.method: row.mean for row in vessels}, flush=True)
    return Record(
        STUDY,
        test.source,
        titles,
        {"volumes": len(test.volumes), "anchors": ANCHORS**2, "measurement_noise": MEASUREMENT_NOISE},
        tuple(found.rows),
        tuple(found.series),
        tuple(found.pictures),
    )


def imaged_settings() -> dict[str, ParticleSetting]:
    """The first test setting of each kind and place: "fluid_between", "fluid_corner", "immobilised_between", …"""
    found: dict[str, ParticleSetting] = {}
    for setting in particle_split(SPLIT).test:
        found.setdefault(f"{setting.kind}_{'corner' if in_corner(setting) else 'between'}", setting)
    return found
