import os

import pytest
import torch

from mpinotes.training.checkpoint import load_checkpoint


def test_pickles_are_not_opened(tmp_path):
    import pickle

    path = tmp_path / "checkpoint.pt"
    path.write_bytes(pickle.dumps(os.system))
    with pytest.raises(ValueError, match="damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "content", [torch.ones(3), [1, 2], {"state_dict": {}}, {"identity": 1}, torch.nn.Linear(1, 1).state_dict()]
)
def test_a_checkpoint_of_another_program_is_called_so(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    torch.save(content, path)
    with pytest.raises(ValueError, match="of another program or version: choose another output folder"):
        load_checkpoint(str(path))
