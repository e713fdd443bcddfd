import os

import pytest

from mpinotes.training.checkpoint import load_checkpoint


def test_pickles_are_not_opened(tmp_path):
    import pickle

    path = tmp_path / "checkpoint.pt"
    path.write_bytes(pickle.dumps(os.system))
    with pytest.raises(ValueError, match="damaged"):
        load_checkpoint(path)
