"""A trained network as a file that a page fetches: its programs, and its weights in half precision."""

import json
import zlib
from base64 import b64encode

import torch

from mpinotes.display.program import Program, export_program
from mpinotes.display.synthesis import Comparison, ConditionedEstimate
from mpinotes.methods import Trained


def network_file(name: str, trained: Trained, side: int = 32) -> str:
    """A script that hands the page the network `trained` under a name, for components of `side` pixels.

    Raises ``ValueError`` where the network does something that a page cannot run.

    >>> from mpinotes.methods import load
    >>> network_file("sm_aware", load("sm_aware"))[:60]
    'window.mpinotesNetworks = Object.assign(window.mpinotesNetwo'
    """
    like = torch.empty(0, dtype=torch.float32, device="cpu")
    x, condition, noise = (like.new_zeros(1, 4, side, side) for _ in range(3))
    t, weight, level = (like.new_ones(1) for _ in range(3))
    orders = like.new_ones(1, 2, dtype=torch.long)
    model = ConditionedEstimate(trained.model, trained.config)
    estimate = export_program(model, (x, t, condition, noise, weight, level, orders))
    compare = export_program(Comparison(), (x, like.new_ones(1, 2, 2), condition))
    names = [key for key in estimate.weights if not key.startswith("constant")]
    halves = torch.cat([estimate.weights[key].flatten() for key in names]).half().numpy().astype("<f2").tobytes()
    starts = [0]
    for key in names:
        starts.append(starts[-1] + estimate.weights[key].numel())
    text = b64encode(halves).decode()
    content = {
        "programs": {"estimate": _steps(estimate), "compare": _steps(compare)},
        "index": {key: [start, list(estimate.weights[key].shape)] for key, start in zip(names, starts, strict=False)},
        "halves": text,
        "sum": zlib.adler32(text.encode()),
    }
    entry = json.dumps({name: content})
    return f"window.mpinotesNetworks = Object.assign(window.mpinotesNetworks || {{}}, {entry});\n"


def _steps(program: Program) -> dict[str, object]:
    constants = {key: value for key, value in program.weights.items() if key.startswith("constant")}
    return {
        "inputs": program.inputs,
        "steps": program.steps,
        "outputs": program.outputs,
        "constants": {key: {"shape": list(x.shape), "data": x.flatten().tolist()} for key, x in constants.items()},
    }
