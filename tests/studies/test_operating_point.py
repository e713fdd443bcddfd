import pytest
import torch

from mpinotes.data import image_split
from mpinotes.methods import IMAGE_METHODS, METHODS, Trained, load
from mpinotes.operators import Degradation
from mpinotes.studies import operating_point
from mpinotes.studies.operating_point import COSTS, train_there
from mpinotes.training import TrainState

PAIRS = image_split("train", 2)


def untrained(method):
    """As if it were released: a network that adds nothing to x_LR."""
    return Trained(method, method.network(method.build(seed=5)).eval(), {})


@pytest.mark.parametrize("method", IMAGE_METHODS, ids=lambda method: method.name)
def test_every_training_starts_where_the_first_one_ended(method, tmp_path, monkeypatch):
    seen = []

    def train(model, trained, data, config, *, folder):
        seen.append(config.steps)
        yield TrainState(config.steps, {"total": 1.0}, [1.0], 0.0, model)

    monkeypatch.setattr(operating_point, "train", train)
    before = untrained(method)
    after = train_there(before, PAIRS, steps=40, folder=tmp_path)
    assert all(map(torch.equal, after.model.state_dict().values(), before.model.state_dict().values()))
    assert seen == [40 // COSTS.get(method.name, 1)]


def test_d_is_fitted_to_the_scanner_that_is_trained_on(tmp_path):
    trained = train_there(load("dccdm"), PAIRS, steps=1, folder=tmp_path)
    assert isinstance(trained.config.degradation, Degradation)
    assert trained.config.degradation != load("dccdm").config.degradation
    assert trained.config.lambda_dc == load("dccdm").config.lambda_dc > 0


def test_even_the_shortest_training_takes_a_step(tmp_path):
    before = untrained(METHODS["esrgan"])
    after = train_there(before, PAIRS, steps=2, folder=tmp_path)
    assert not all(map(torch.equal, after.model.parameters(), before.model.parameters()))
