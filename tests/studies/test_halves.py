"""Validation and test volumes side by side."""

import pytest

from mpinotes.studies.halves import Halves


def test_each_half_meets_the_same_half_of_the_others():
    seen = Halves("val", "test").map(lambda *parts: parts, Halves(1, 2), Halves("a", "b"))
    assert seen == Halves(("val", 1, "a"), ("test", 2, "b"))
    assert seen.val[0] == "val" and seen.test[0] == "test"


def test_no_half_is_left_out():
    with pytest.raises(ValueError, match="longer than"):
        Halves("val", "test").map(lambda *parts: parts, (1, 2, 3))
