"""Write and read a release: NAME.safetensors and its card, NAME.json."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from mpinotes.files import save_atomically

FOLDER = Path(__file__).parent
"""Where the package's own releases lie."""


def released(folder: Path = FOLDER) -> list[str]:
    """Names of the releases in a folder.

    >>> "dccdm" in released()
    True
    """
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def save_release(name: str, model: nn.Module, card: dict[str, Any], folder: Path) -> None:
    """Write the weights, rounded to float16, and the card. Each file is replaced atomically.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save_release("tiny", torch.nn.Linear(1, 1), {"seed": 0}, Path(folder))
    ...     released(Path(folder))
    ['tiny']
    """
    weights = {key: value.detach().cpu().half().contiguous() for key, value in model.state_dict().items()}
    save_atomically(folder / f"{name}.safetensors", save(weights))
    save_atomically(folder / f"{name}.json", (json.dumps(card, indent=2) + "\n").encode())


def load_release(name: str, folder: Path = FOLDER) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights (float32) and card of a release.

    Raises ``FileNotFoundError`` for an unknown name, ``ValueError`` for a damaged file; both say
    what to do.

    >>> weights, card = load_release("dccdm")
    >>> weights["head.weight"].dtype, card["method"]
    (torch.float32, 'dccdm')
    """
    weights, card = folder / f"{name}.safetensors", folder / f"{name}.json"
    if not (weights.is_file() and card.is_file()):
        known = ", ".join(released(folder)) or "none"
        raise FileNotFoundError(f"no release {name!r} in {folder} (there are: {known}): train it or reinstall mpinotes")
    try:
        tensors = load_file(weights)
        content = json.loads(card.read_text())
    except (SafetensorError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"release {name!r} in {folder} is damaged ({error}): train it again or reinstall mpinotes"
        ) from error
    return {key: value.float() for key, value in tensors.items()}, content
