"""Write and read a release: NAME.safetensors and its card, NAME.json."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from mpinotes.files import AnyPath, save_atomically

FOLDER = Path(__file__).parent
"""Where the package's own releases lie."""


def released(folder: AnyPath = FOLDER) -> list[str]:
    """Names of the releases in a folder.

    >>> "dccdm" in released()
    True
    """
    return sorted(path.stem for path in Path(folder).glob("*.safetensors"))


def save_release(name: str, model: nn.Module, card: dict[str, Any], folder: AnyPath) -> None:
    """Write the weights, rounded to float16, and the card with their hash. Each file is replaced atomically; a
    crash between the two leaves files that `load_release` refuses.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save_release("tiny", torch.nn.Linear(1, 1), {"seed": 0}, folder)
    ...     released(folder)
    ['tiny']
    """
    weights = {key: value.detach().cpu().half().contiguous() for key, value in model.state_dict().items()}
    content = save(weights)
    text = json.dumps(card | {"sha256": hashlib.sha256(content).hexdigest()}, indent=2) + "\n"
    save_atomically(Path(folder) / f"{name}.safetensors", content)
    save_atomically(Path(folder) / f"{name}.json", text.encode())


def load_release(name: str, folder: AnyPath = FOLDER) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights (float32) and card of a release.

    Raises ``FileNotFoundError`` for an unknown name, ``ValueError`` for a damaged file and for weights that
    are not those of the card; both say what to do.

    >>> weights, card = load_release("dccdm")
    >>> weights["head.weight"].dtype, card["method"]
    (torch.float32, 'dccdm')
    """
    weights, card = (Path(folder) / f"{name}.{suffix}" for suffix in ("safetensors", "json"))
    if not (weights.is_file() and card.is_file()):
        known = ", ".join(released(folder)) or "none"
        raise FileNotFoundError(f"no release {name!r} in {folder} (there are: {known}): train it or reinstall mpinotes")
    try:
        raw, content = weights.read_bytes(), json.loads(card.read_text(encoding="utf-8"))
        if content.get("sha256") != hashlib.sha256(raw).hexdigest():
            raise ValueError("the weights are not those that the card was written for")
        tensors = load(raw)
    except (SafetensorError, ValueError, AttributeError) as error:
        raise ValueError(
            f"release {name!r} in {folder} is damaged ({error}): train it again or reinstall mpinotes"
        ) from error
    return {key: value.float() for key, value in tensors.items()}, content
