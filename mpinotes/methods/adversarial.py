"""ESRGAN for volumes: the adversarial baseline of Qiu et al. (2026), Table 1."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from mpinotes.checks import check_range
from mpinotes.methods.pairs import flip_together
from mpinotes.methods.regression import estimate
from mpinotes.networks import Discriminator, ESRGANConfig, RRDBNet
from mpinotes.training import forward, local_rows


@dataclass(frozen=True)
class AdversarialConfig:
    """Networks and the weights of the generator's three terms, L1, features and adversarial, which act
    after `pretraining` steps with L1 alone.

    The source has 1e-2, 1 (VGG) and 5e-3 on photographs. Here the L1 term leads: these weights are ours.

    >>> from mpinotes.methods import adversarial
    >>> adversarial.AdversarialConfig(features=0.0).network.blocks
    2
    """

    network: ESRGANConfig = ESRGANConfig()
    l1: float = 1.0
    features: float = 0.1
    adversarial: float = 5e-3
    pretraining: int = 0

    def __post_init__(self) -> None:
        for name in ("l1", "features", "adversarial", "pretraining"):
            check_range(name, getattr(self, name), 0.0, float("inf"))


class Adversaries(nn.Module):
    """Generator and discriminator as one module, so that one optimiser and one checkpoint hold both, and
    the number of `steps` they were trained.

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
        self.steps: torch.Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))


def loss(
    model: Adversaries, batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: AdversarialConfig
) -> dict[str, torch.Tensor]:
    """Both players' objectives on pairs (x_LR, x_HR) in [0, 1], added: Wang et al. (2018), section 3.2.

    The generator meets a discriminator whose weights are constants, the discriminator volumes that
    are constants; so one backward pass gives each its own gradient. The means over the scores are
    those of one process's share of the batch. Each call counts as one of the model's steps.

    >>> from mpinotes.methods import adversarial
    >>> from mpinotes.networks import ESRGANConfig
    >>> config = adversarial.AdversarialConfig(ESRGANConfig(8, 4, blocks=1, critic_width=4))
    >>> x_lr, x_hr = torch.zeros(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    >>> model = adversarial.Adversaries(config.network)
    >>> generator = torch.Generator().manual_seed(0)
    >>> list(adversarial.loss(model, (x_lr, x_hr), generator, config))
    ['total', 'l1', 'features', 'adversarial', 'discriminator']
    """
    model.steps += 1
    x_lr, x_hr = local_rows(*flip_together(batch, generator))
    fake = estimate(model.generator, x_lr)
    l1 = config.l1 * 2 * F.l1_loss(fake, x_hr)
    if model.steps <= config.pretraining:
        return {"total": l1, "l1": l1}
    constants = {name: value.detach() for name, value in model.discriminator.named_parameters()}

    def judge(volumes: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        scores, features = functional_call(model.discriminator, constants, (2 * volumes - 1,))
        return scores, features

    with torch.no_grad():
        real_score, real_features = judge(x_hr)
    fake_score, fake_features = judge(fake)
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
