import pytest
import torch

from mpinotes.methods.mirrors import flip_together, mirror_answers, mirror_mean

X = torch.rand(2, 1, 4, 6, 8, generator=torch.Generator().manual_seed(0))


def test_a_method_that_commutes_with_mirrors_is_left_alone():
    torch.testing.assert_close(mirror_mean(lambda x: 2 * x, X), 2 * X)


def test_the_result_commutes_with_mirrors_whatever_the_method_does():
    weight = torch.rand(4, 6, 8, generator=torch.Generator().manual_seed(1))

    def lopsided(x):
        return (x * weight).cumsum(-1)

    for axes in ([2], [3, 4], [2, 3, 4]):
        torch.testing.assert_close(mirror_mean(lopsided, X.flip(axes)), mirror_mean(lopsided, X).flip(axes))


def test_eight_calls_are_made():
    seen = []
    mirror_mean(lambda x: seen.append(x) or x, X)
    assert len(seen) == 8 and len({x.numpy().tobytes() for x in seen}) == 8


def test_volumes_outside_0_and_1_are_refused():
    with pytest.raises(ValueError, match="x_lr"):
        mirror_mean(lambda x: x, X + 1)


def test_pairs_are_flipped_together():
    x = torch.rand(5, 1, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    flips = [flip_together((x, 2 * x), torch.Generator().manual_seed(seed)) for seed in range(8)]
    assert all(torch.equal(2 * a, b) for a, b in flips)
    assert len({a.numpy().tobytes() for a, _ in flips}) > 1


@pytest.mark.parametrize("answer", [lambda x: x[..., :2], lambda x: x.sum(), lambda x: None, lambda x: x.numpy()])
def test_answers_of_another_shape_than_the_image_are_refused(answer):
    with pytest.raises(ValueError, match="^enhance, what it returns: got .* the first channel of x_lr"):
        mirror_answers(answer, X)


def test_an_answer_has_one_channel_however_many_images_there_are():
    several = torch.cat([X, X], dim=1)
    assert mirror_answers(lambda x: x[:, :1], several).shape == (8, 2, 1, 4, 6, 8)
    with pytest.raises(ValueError, match="^enhance, what it returns: got shape"):
        mirror_mean(lambda x: x, several)
