"""Programs, run here by a second runner in torch: what the page's own makes of them, the browser tests say."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mpinotes.display.program import export_program
from mpinotes.networks import UNetConfig, build_network


def run(program, inputs):
    arrays = {**program.weights, **dict(zip(program.inputs, inputs, strict=True))}
    for step in program.steps:
        sources = [arrays[source] if isinstance(source, str) else source for source in step["from"]]
        arrays[step["to"]] = perform(step, *sources)
        assert list(arrays[step["to"]].shape) == step["shape"]
    return [arrays[name] for name in program.outputs]


def perform(step, x, *rest):
    simple = {
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "linear": F.linear,
        "silu": F.silu, "sin": torch.sin, "cos": torch.cos, "sqrt": torch.sqrt, "log10": torch.log10,
        "clamp": torch.clamp,
    }  # fmt: skip
    match step["op"]:
        case "convolve":
            return F.conv2d(x, *rest, stride=step["stride"], padding=step["padding"])
        case "normalise":
            return F.group_norm(x, step["groups"], *rest, step["epsilon"])
        case "upsample":
            return x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        case "concatenate":
            return torch.cat([x, *rest], step["axis"])
        case "slice":
            return x.narrow(step["axis"], step["start"], step["stop"] - step["start"])
        case "permute":
            return x.permute(step["order"])
        case "reshape":
            return x.reshape(step["shape"])
        case "mean":
            return x.reshape(-1, step["size"]).mean(1).reshape(step["shape"])
        case "add" if not isinstance(x, torch.Tensor) or not isinstance(rest[0], torch.Tensor):
            return (x + rest[0]).expand(step["shape"])
    return simple[step["op"]](x, *rest)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_u_net_is_exported_whole(blocks):
    network = build_network(UNetConfig(dims=2, in_channels=3, out_channels=2, widths=(8, 16, 24), blocks=blocks))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    inputs = torch.randn(1, 3, 16, 16), torch.tensor([300.0])
    program = export_program(network, inputs)
    other = torch.randn(1, 3, 16, 16), torch.tensor([20.0])
    with torch.no_grad():
        torch.testing.assert_close(run(program, other)[0], network(*other), rtol=1e-4, atol=1e-4)
    assert sum(weight.numel() for weight in program.weights.values()) < 1.1 * sum(
        parameter.numel() for parameter in network.parameters()
    )


class Arithmetic(nn.Module):
    """All that `Comparison` and the condition need, in one place."""

    def forward(self, x, turn):
        first, second = x.unflatten(1, (2, 2)).unbind(2)
        cosine = turn[:, :, 0, None, None]
        both = torch.stack([first * cosine, second.clamp(min=-0.5)], 1).movedim(1, 2).flatten(1, 2)
        return both.mean((-2, -1)), both[:, 1:3].expand(1, 2, 4, 4) / 2, (both * both + 1).sqrt().log10()


def test_arithmetic_is_exported():
    inputs = torch.randn(1, 4, 4, 4), torch.randn(1, 2, 2)
    program = export_program(Arithmetic(), inputs)
    for got, expected in zip(run(program, inputs), Arithmetic()(*inputs), strict=True):
        torch.testing.assert_close(got, expected)


class Step(nn.Module):
    def __init__(self, do):
        super().__init__()
        self.do = do

    def forward(self, x):
        return self.do(x)


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (torch.relu, "relu"),
        (lambda x: F.conv2d(x, torch.ones(2, 1, 3, 3), groups=2), "convolution"),
        (lambda x: F.conv2d(x, torch.ones(2, 2, 3, 3), torch.ones(2), stride=(1, 2)), "convolution"),
        (lambda x: F.interpolate(x, scale_factor=4.0, mode="nearest"), "upsampling"),
        (lambda x: x.mean(1), "mean"),
        (lambda x: x.long() + 1, "to torch.int64"),
    ],
)
def test_what_a_page_cannot_run_is_refused_when_it_is_built(do, told):
    with pytest.raises(ValueError, match=f"module: got .*{told}"):
        export_program(Step(do), (torch.randn(1, 2, 8, 8),))
