from dataclasses import replace

import pytest

from mpinotes.methods import METHODS
from mpinotes.studies import get_profile


def test_profiles_grow():
    smoke, book, full = map(get_profile, ("smoke", "book", "full"))
    for field in ("train_volumes", "test_volumes", "live_volumes", "most_steps", "matrix_settings"):
        assert getattr(smoke, field) <= getattr(book, field) <= getattr(full, field)
    assert full.train_volumes == 1335 and full.test_volumes == 382 and full.matrix_components == 168


def test_an_unknown_profile_is_named():
    with pytest.raises(ValueError, match="profile: got 'huge', accepted are 'smoke'"):
        get_profile("huge")


def test_a_shortened_method_trains_less_and_is_otherwise_the_same():
    method, smoke, full = METHODS["dccdm"], get_profile("smoke"), get_profile("full")
    short = smoke.shortened(method)
    assert short.training.steps == smoke.most_steps and short.training.warmup < short.training.steps
    assert replace(short, training=method.training, calls=method.calls) == method
    assert all(full.shortened(one) == one for one in METHODS.values())
