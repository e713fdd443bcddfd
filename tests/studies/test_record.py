import pytest
import torch

from mpinotes.evaluation import bootstrap_mean
from mpinotes.studies import decode_image, load_record, save_record
from mpinotes.studies.record import interval, projections, training_log


def test_a_record_survives_the_file(tmp_path):
    values = torch.rand(20, generator=torch.Generator().manual_seed(0))
    content = {"γ": [1, 2.5], "row": interval(values)}
    save_record("one", content, tmp_path)
    assert load_record("one", tmp_path) == content
    assert content["row"]["low"] == round(bootstrap_mean(values).low, 5)


def test_a_missing_record_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match="python -m mpinotes study table"):
        load_record("table", tmp_path)


def test_projections_survive_text():
    volume = torch.rand(8, 8, 8, generator=torch.Generator().manual_seed(0))
    texts = projections(volume)
    for axis, dim in (("z", 0), ("y", 1)):
        torch.testing.assert_close(decode_image(texts[axis]), volume.amax(dim), atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_training_log_counts_the_volumes():
    card = {"training": {"steps": 10, "batch": 8}, "seconds": 3, "device": "cpu"}
    assert training_log(card) == {"steps": 10, "volumes seen": 80, "seconds": 3, "device": "cpu"}
