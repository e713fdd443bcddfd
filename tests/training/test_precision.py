import pytest
import torch

from mpinotes.training.precision import autocast


@pytest.mark.parametrize("has", ["avx512_bf16", "amx_bf16", "bf16"])
@pytest.mark.parametrize("variable, used", [(None, True), ("ALL", True), ("AVX512_CORE_BF16", True), ("avx2", False)])
def test_bfloat16_is_used_where_the_processor_has_it_and_onednn_may_use_it(has, variable, used, monkeypatch):
    """oneDNN told to pass for an older processor would imitate it, ten times slower than float32."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, has: True}, raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if variable is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", variable)
    with autocast(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") is used


def test_a_processor_without_it_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False}, raising=False)
    with autocast(torch.device("cpu")):
        assert not torch.is_autocast_enabled("cpu")
