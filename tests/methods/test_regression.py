import pytest
import torch

from mpinotes.methods import METHODS, regression
from mpinotes.networks import EDSRConfig, UNetConfig, seeded_network
from mpinotes.training import TrainConfig, train

# 16³, so that no convolution works on 2³ voxels: there the weights' gradient in bfloat16 is not finite
# on processors that have avx512_bf16 and no AMX (torch 2.13, oneDNN).
X_HR = (torch.rand(2, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.8).float()
X_LR = (0.5 * X_HR + 0.1).clamp(0, 1)
UNET = regression.RegressionConfig(UNetConfig(in_channels=1, widths=(8, 16)))
EDSR = regression.RegressionConfig(EDSRConfig(width=8, blocks=2), "l1")


@pytest.mark.parametrize("config", [UNET, EDSR], ids=["unet", "edsr"])
def test_an_untrained_network_returns_x_lr_and_its_loss_is_the_distance(config):
    model = seeded_network(config.network, 0)
    torch.testing.assert_close(regression.enhance(model, X_LR), X_LR)
    error = 2 * (X_LR - X_HR)
    value = regression.loss(model, (X_LR, X_HR), config)["total"]
    expected = error.square().mean() if config.norm == "l2" else error.abs().mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("config", [UNET, EDSR], ids=["unet", "edsr"])
def test_a_short_training_comes_closer(config):
    model = seeded_network(config.network, 0)
    training = TrainConfig(60, batch=2, learning_rate=3e-3, warmup=5)
    method = regression.RegressionMethod("tiny", "Tiny", config, training, calls=1)
    *_, state = train(model, method, (X_LR, X_HR), training, device=torch.device("cpu"))
    assert sum(state.history[-5:]) < 0.8 * sum(state.history[:5])
    enhanced = regression.enhance(model, X_LR)
    assert enhanced.min() >= 0 and enhanced.max() <= 1


def test_wrong_input_is_refused():
    model = seeded_network(UNET.network, 0)
    with pytest.raises(ValueError, match="x_lr: got 1 channels, the first of values from"):
        regression.enhance(model, X_LR + 1)
    with pytest.raises(ValueError, match="norm: got 'l3', accepted are 'l2', 'l1'"):
        regression.RegressionConfig(UNET.network, "l3")
    with pytest.raises(ValueError, match="x_lr"):
        METHODS["unet"].draw((X_LR[:1], X_HR), torch.Generator())


def test_further_images_are_seen_and_x_lr_alone_is_added_to():
    config = regression.RegressionConfig(UNetConfig(in_channels=3, widths=(8, 16)))
    model, images = seeded_network(config.network, 0), torch.cat([X_LR, 3 * X_LR - 1, -X_LR], dim=1)
    torch.testing.assert_close(regression.enhance(model, images), X_LR)  # untrained
    torch.nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(0))
    changed = images.clone()
    changed[:, 2] *= 2
    assert not torch.equal(regression.enhance(model, images), regression.enhance(model, changed))
    flipped = regression.RegressionMethod("tiny", "Tiny", config, TrainConfig(1), calls=1).draw(
        (images, X_HR), torch.Generator().manual_seed(1)
    )[0]
    torch.testing.assert_close(flipped[:, 2], -flipped[:, 0])
    with pytest.raises(ValueError, match="x_lr: got 1 channels, .* accepted are 3"):
        regression.enhance(model, X_LR)
    with pytest.raises(ValueError, match="x_lr: got 3 channels, .* accepted are 1"):
        regression.enhance(seeded_network(UNET.network, 0), images)


def test_batches_come_back_in_order_without_gradients():
    model, volumes = seeded_network(UNET.network, 0), torch.cat([X_LR, 0.5 * X_LR, 0.2 * X_LR])
    result = regression.enhance(model, volumes, batch=4)
    torch.testing.assert_close(result, volumes)
    assert not result.requires_grad
