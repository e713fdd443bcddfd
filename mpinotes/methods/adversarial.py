"""ESRGAN for volumes: the adversarial baseline of Qiu et al. (2026), Table 1."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from mpinotes.checks import check_range, make_plain
from mpinotes.methods.method import ImageMethod
from mpinotes.methods.mirrors import flip_together
from mpinotes.methods.regression import enhance, estimate
from mpinotes.networks import Discriminator, ESRGANConfig, RRDBNet, seeded
from mpinotes.numerics import full_precision
from mpinotes.training import forward


@dataclass(frozen=True)
class AdversarialConfig:
    """Networks and the weights of the generator's three terms.

    The source has 1e-2, 1 (VGG) and 5e-3 on photographs. Here the L1 term leads: these weights are ours.

    :param network: shape of generator and discriminator.
    :param l1: weight of the absolute error.
    :param features: weight of the difference of the discriminator's features.
    :param adversarial: weight of the game.
    :param pretraining: share of the steps that is trained with L1 alone first, as in the source.

    >>> from mpinotes.methods import adversarial
    >>> adversarial.AdversarialConfig(features=0.0).network.blocks
    2
    """

    network: ESRGANConfig = ESRGANConfig()
    l1: float = 1.0
    features: float = 0.1
    adversarial: float = 5e-3
    pretraining: float = 0.5

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("l1", "features", "adversarial"):
            check_range(name, getattr(self, name), 0.0, float("inf"))
        check_range("pretraining", self.pretraining, 0.0, 1.0)


class Adversaries(nn.Module):
    """Generator and discriminator as one module, so that one optimiser and one checkpoint hold both.

    >>> from mpinotes.methods import adversarial
    >>> from mpinotes.networks import ESRGANConfig
    >>> config = adversarial.AdversarialConfig(ESRGANConfig(8, 4, blocks=1, critic_width=4))
    >>> players = adversarial.Adversaries(config.network)
    >>> [name for name, _ in players.named_children()]
    ['generator', 'discriminator']
    """

    def __init__(self, config: ESRGANConfig):
        super().__init__()
        self.generator, self.discriminator = RRDBNet(config), Discriminator(config)


@full_precision
def loss(
    model: Adversaries, drawn: tuple[torch.Tensor, ...], progress: float, config: AdversarialConfig
) -> dict[str, torch.Tensor]:
    """Both players' objectives on pairs (x_LR, x_HR) in [0, 1], added: Wang et al. (2018), section 3.2.

    The generator meets a discriminator whose weights are constants, the discriminator volumes that
    are constants; so one backward pass gives each its own gradient. The means over the scores are
    those of one process's share of the batch. `progress`: share of the training that is done.

    >>> from mpinotes.methods import adversarial
    >>> from mpinotes.networks import ESRGANConfig
    >>> config = adversarial.AdversarialConfig(ESRGANConfig(8, 4, blocks=1, critic_width=4))
    >>> x_lr, x_hr = torch.zeros(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    >>> model = adversarial.Adversaries(config.network)
    >>> list(adversarial.loss(model, (x_lr, x_hr), 0.0, config))
    ['total', 'l1']
    >>> list(adversarial.loss(model, (x_lr, x_hr), 0.5, config))
    ['total', 'l1', 'features', 'adversarial', 'discriminator']
    """
    x_lr, x_hr = drawn
    fake = estimate(model.generator, x_lr)
    l1 = config.l1 * 2 * F.l1_loss(fake, x_hr)
    if progress < config.pretraining:
        return {"total": l1, "l1": l1}
    constants = {name: value.detach() for name, value in model.discriminator.named_parameters()}
    dtype = next(iter(constants.values())).dtype

    def score(volumes: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        # In full precision, other than `forward`: the features of two volumes are close.
        scores, features = functional_call(model.discriminator, constants, ((2 * volumes - 1).to(dtype),))
        return scores, features

    with torch.no_grad():
        real_score, real_features = score(x_hr)
    fake_score, fake_features = score(fake)
    features = [F.l1_loss(a, b) for a, b in zip(fake_features, real_features, strict=True)]
    terms = {
        "l1": l1,
        "features": config.features * torch.stack(features).mean(),
        "adversarial": config.adversarial * relativistic(fake_score, real_score),
        # Adam's steps do not depend on this weight. But the loop clips the gradient of both players as
        # one, and without it the discriminator's, hundreds of times larger, would scale the generator's.
        "discriminator": config.adversarial
        * relativistic(
            forward(Scores(model.discriminator), 2 * x_hr - 1),
            forward(Scores(model.discriminator), 2 * fake.detach() - 1),
        ),
    }
    return {"total": torch.stack(list(terms.values())).sum(), **terms}


class Scores(nn.Module):
    """A discriminator without its features.

    >>> from mpinotes.methods import adversarial
    >>> from mpinotes.networks import ESRGANConfig
    >>> config = adversarial.AdversarialConfig(ESRGANConfig(8, 4, blocks=1, critic_width=4))
    >>> players = adversarial.Adversaries(config.network)
    >>> adversarial.Scores(players.discriminator)(torch.zeros(2, 1, 8, 8, 8)).shape
    torch.Size([2])
    """

    def __init__(self, discriminator: Discriminator):
        super().__init__()
        self.discriminator = discriminator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.discriminator(x)[0]


def relativistic(winner: torch.Tensor, loser: torch.Tensor) -> torch.Tensor:
    """Relativistic average loss: `winner` should score above the mean `loser`, and the reverse
    (Jolicoeur-Martineau 2019).

    >>> from mpinotes.methods.adversarial import relativistic
    >>> good, bad = torch.tensor([5.0]), torch.tensor([-5.0])
    >>> relativistic(good, bad) < relativistic(bad, good)
    tensor(True)
    """
    won, lost = winner - loser.mean(), loser - winner.mean()
    return F.softplus(-won).mean() / 2 + F.softplus(lost).mean() / 2


@dataclass(frozen=True)
class AdversarialMethod(ImageMethod):
    """ESRGAN as a `Method`: both players are trained, the generator is kept."""

    config: AdversarialConfig

    def build(self, seed: int) -> nn.Module:
        return seeded(lambda: Adversaries(self.config.network), seed)

    def network(self, model: nn.Module) -> nn.Module:
        return cast(Adversaries, model).generator

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return flip_together(batch, generator)

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        return loss(cast(Adversaries, model), drawn, progress, self.config)

    def apply(self, model: nn.Module, x_lr: torch.Tensor, **options: Any) -> torch.Tensor:
        return enhance(model, x_lr, **options)
