"""Gradients that are not finite never reach a weight, and nobody waits for the device to find out."""

from typing import Any

import torch
from torch import nn

LARGEST_SCALE = 2.0**16
"""Of a loss in float16, where a training starts; in other precisions it is 1."""

GROWTH_STEPS = 2000
"""So many steps in a row without an overflow let the scale grow again."""


class Guard:
    """Says, on the device, which steps an optimiser leaves out, and scales the loss where precision is half.

    In float16 small gradients vanish and large ones overflow. So the loss is multiplied by a scale; where a
    gradient overflows all the same, that step is left out, and the scale is halved (Micikevicius et al. 2018).
    Once the loss is not finite, or a gradient is not at a scale of 1, every further step is left out:
    the weights stay what they were until somebody reads `ended`.

    >>> from mpinotes.training.guard import Guard
    >>> guard, model = Guard(1.0), torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    >>> guard.scaled(model(torch.full((1,), torch.inf))).backward()
    >>> norm = guard.clip(model)
    >>> guard.step(optimizer, torch.tensor(1.0), norm)
    >>> model.weight.isfinite().item(), guard.ended.item()
    (True, 1.0)
    """

    def __init__(self, largest_scale: float, device: torch.device | str = "cpu"):
        self.largest_scale = largest_scale
        self.scale = torch.full((), largest_scale, device=device, dtype=torch.float32)
        self.ended = torch.zeros_like(self.scale)
        self.steps_since = torch.zeros_like(self.scale)

    def scaled(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss, to go backward from."""
        return loss * self.scale if self.largest_scale > 1 else loss

    def clip(self, model: nn.Module) -> torch.Tensor:
        """Undo the scale and clip the gradients to a norm of 1; the norm they had."""
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        if self.largest_scale > 1:
            torch._foreach_div_(gradients, self.scale)
        return nn.utils.clip_grad_norm_(model.parameters(), 1.0)

    def step(self, optimizer: torch.optim.Optimizer, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """A step of a fused `optimizer`, unless it is one to leave out."""
        overflow = ~norm.isfinite()
        ending = ~loss.detach().isfinite() | (overflow & (self.scale <= 1))
        self.ended = torch.maximum(self.ended, ending.float())
        optimizer.found_inf = torch.maximum(self.ended, overflow.float())  # type: ignore[attr-defined]
        optimizer.step()
        self.steps_since = torch.where(overflow, 0.0, self.steps_since + 1)
        grows = self.steps_since >= GROWTH_STEPS
        factor = torch.where(overflow, 0.5, torch.where(grows, 2.0, 1.0))
        self.scale = (self.scale * factor).clamp(1.0, self.largest_scale)
        self.steps_since = torch.where(grows, 0.0, self.steps_since)

    def state_dict(self) -> dict[str, Any]:
        """Scale and count, for a checkpoint."""
        return {"scale": self.scale, "steps_since": self.steps_since}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.scale, self.steps_since = (state[name].to(self.scale) for name in ("scale", "steps_since"))
