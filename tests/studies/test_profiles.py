import pytest

from mpinotes.studies import get_profile


def test_profiles_grow():
    smoke, book, full = map(get_profile, ("smoke", "book", "full"))
    for field in ("train_volumes", "test_volumes", "image_steps", "matrix_settings"):
        assert getattr(smoke, field) <= getattr(book, field) <= getattr(full, field)
    assert full.train_volumes == 1335 and full.test_volumes == 382 and full.matrix_components == 168


def test_an_unknown_profile_is_named():
    with pytest.raises(ValueError, match="profile: got 'huge', accepted are 'smoke'"):
        get_profile("huge")
