import torch

from mpinotes.data import image_pairs, synthetic_vessels
from mpinotes.evaluation import psnr
from mpinotes.methods import IMAGE_METHODS
from mpinotes.studies.enhancers import enhancers
from mpinotes.studies.networks import find_trained


def test_every_method_improves_an_image_with_the_calls_it_names(tmp_path, capsys):
    methods = find_trained(IMAGE_METHODS, tmp_path)
    assert "train it with `python -m mpinotes train edsr" in capsys.readouterr().out
    pairs = image_pairs(synthetic_vessels(2, seed=3).round(), seed=3)
    tested = enhancers(methods)
    assert {"ddpm_mirrors", "unet_mirrors"} < set(tested) and tested["ddpm"].title == "3D DDPM"
    for key, row in tested.items():
        seen = []
        handle = row.trained.model.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        improved = row.enhance(pairs.x_lr)
        handle.remove()
        assert len(seen) == row.calls, key
        assert (psnr(improved, pairs.x_hr) > psnr(pairs.x_lr, pairs.x_hr)).all(), key
        assert row.parameters > 1e6 and torch.isfinite(improved).all()
