"""Device and precision: half of float32's bits where the hardware computes with them quickly."""

import os

import torch
from torch import nn

_BEFORE_BFLOAT16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU.

    >>> best_device().type in ("cuda", "cpu")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def usable_device(name: str) -> torch.device:
    """The device of a name, "cpu", "cuda" or "cuda:1"; ``ValueError`` for one that this machine does not have.

    >>> usable_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        raise ValueError(f"device: got {name!r}, accepted are on this machine {', '.join(['cpu', *gpus])}") from error
    return device


def autocast(device: torch.device) -> torch.autocast:
    """Autocast context of a device's `low_precision`, disabled where there is none."""
    dtype = low_precision(device)
    # Inside a caller's autocast the cache of rounded weights would outlive the optimiser's steps.
    return torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None, cache_enabled=False)


def low_precision(device: torch.device) -> torch.dtype | None:
    """What a network computes in: bfloat16 on hardware that has it natively, float16 on other GPUs, and None, which
    is the precision of its weights, on other processors.

    >>> from mpinotes.training.precision import low_precision
    >>> low_precision(torch.device("cpu")) in (torch.bfloat16, None)
    True
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if _processor_has_bfloat16() else None


def _processor_has_bfloat16() -> bool:
    """Whether the processor has the instructions and oneDNN, which torch computes with, may use them: it
    would otherwise imitate them, ten times slower than float32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() not in _BEFORE_BFLOAT16
    return allowed and any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def forward(model: nn.Module, *inputs: torch.Tensor) -> torch.Tensor:
    """Run `model` in the best precision of the inputs' device; the result has the dtype of the first input,
    whatever that of the weights.

    Only networks run in low precision: losses, operators and samplers stay outside.

    >>> forward(torch.nn.Linear(2, 1), torch.ones(3, 2)).dtype
    torch.float32
    """
    x, *others = inputs
    weights = next(model.parameters(), x)
    with autocast(x.device):
        return model(x.to(weights.dtype), *others).to(x.dtype)
