import pytest
import torch
from torch import nn

from mpinotes.diffusion import ANCESTRAL
from mpinotes.methods import dccdm, dps
from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.operators import Degradation

D = Degradation(0.5)
CONFIG = dccdm.DCCDMConfig(D, network=UNetConfig(widths=(8, 16)), residual=False, lambda_dc=0.0, lambda_f=0.0)
X_HR = (torch.rand(3, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.7).float()
X_LR = D(X_HR).clamp(0, 1)


class Shrinking(nn.Module):
    """A denoiser that knows nothing of vessels: x̂_0 is the noisy volume itself, scaled."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, t):
        return self.scale * x[:, :1]


def misfit(x):
    return (D(x) - X_LR).flatten(1).norm(dim=1)


def test_without_strength_it_is_the_ancestral_sampler():
    model = seeded_network(CONFIG.network, 0)
    nn.init.normal_(model.head.weight, std=0.1)
    plain = dccdm.enhance(model, X_LR, CONFIG, steps=4, step=ANCESTRAL, seed=5)
    torch.testing.assert_close(
        dps.enhance(model, X_LR, CONFIG, steps=4, strength=0.0, seed=5), plain, atol=1e-4, rtol=0
    )


def test_guidance_brings_every_volume_closer_to_its_measurement():
    free, guided = (dps.enhance(Shrinking(), X_LR, CONFIG, steps=20, strength=s) for s in (0.0, 3.0))
    assert (misfit(guided) < 0.9 * misfit(free)).all()


def test_the_step_is_each_volumes_own():
    pair = torch.cat([X_LR[:1], 0 * X_LR[1:2]])
    together = dps.enhance(Shrinking(), pair, CONFIG, steps=1, strength=3.0)
    alone = dps.enhance(Shrinking(), X_LR[:1], CONFIG, steps=1, strength=3.0)
    torch.testing.assert_close(together[:1], alone, atol=0.02, rtol=0)


def test_the_network_stays_trainable():
    model = Shrinking()
    dps.enhance(model, X_LR, CONFIG, steps=1)
    assert model.scale.requires_grad and model.scale.grad is None


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="strength: got -1"):
        dps.enhance(Shrinking(), X_LR, CONFIG, steps=2, strength=-1.0)
    with pytest.raises(ValueError, match="x_lr"):
        dps.enhance(Shrinking(), X_LR * 2, CONFIG, steps=2)
    with pytest.raises(ValueError, match="steps: got 1001"):
        dps.enhance(Shrinking(), X_LR, CONFIG, steps=1001)


def test_further_images_enter_no_norm():
    """Their distance to D(x̂_0) weakened the pull towards x_LR."""
    more = CONFIG.network.in_channels + 2
    wide = dccdm.DCCDMConfig(D, network=UNetConfig(widths=(8, 16), in_channels=more), residual=False)
    narrow = dps.enhance(Shrinking(), X_LR, CONFIG, steps=3, strength=0.5)
    images = torch.cat([X_LR, 3 * X_LR - 1, -X_LR], dim=1)
    assert torch.equal(dps.enhance(Shrinking(), images, wide, steps=3, strength=0.5), narrow)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"degradation": Degradation(1.0, factor=3)},
            r"x_lr: got sides \(8, 8, 8\), accepted are multiples of factor 3",
        ),
        ({"degradation": D.apply}, "degradation: got method, accepted is a Degradation"),
        ({"degradation": 0.0}, "degradation: got float, accepted is a Degradation"),
        ({"config": None}, "config: got NoneType, accepted is a DCCDMConfig"),
        ({"x_lr": X_LR[0]}, "x_lr: got shape"),
        ({"seed": None}, "seed: got None"),
    ],
)
def test_wrong_input_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        dps.enhance(**{"model": Shrinking(), "x_lr": X_LR, "config": CONFIG, "steps": 1} | change)
