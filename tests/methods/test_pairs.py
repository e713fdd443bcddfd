import pytest
import torch

from mpinotes.methods import METHODS
from mpinotes.methods.pairs import flip_together, in_batches

X = torch.rand(5, 1, 4, 4, 4, generator=torch.Generator().manual_seed(0))


def test_pairs_are_flipped_together():
    flips = [flip_together((X, 2 * X), torch.Generator().manual_seed(seed)) for seed in range(8)]
    assert all(torch.equal(2 * a, b) for a, b in flips)
    assert len({a.numpy().tobytes() for a, _ in flips}) > 1


def test_batches_come_back_in_order_without_gradients():
    model = torch.nn.Linear(1, 1)
    seen = []

    def enhance(part):
        seen.append(len(part))
        return 2 * part * model.weight.pow(0)

    result = in_batches(enhance, model, X, 2)
    assert seen == [2, 2, 1] and not result.requires_grad
    torch.testing.assert_close(result, 2 * X)


@pytest.mark.parametrize("batch", [0, -1, 2.0, True])
@pytest.mark.parametrize("name", ["ddpm", "unet", "edsr"])
def test_a_number_of_volumes_at_a_time_that_is_none_is_refused_by_name(name, batch):
    with pytest.raises(ValueError, match="^batch: got .*whole number"):
        METHODS[name].apply(torch.nn.Linear(1, 1), torch.zeros(2, 1, 8, 8, 8), batch=batch)
