"""Released weights (safetensors, float16) and the cards (JSON) that say where they come from."""

from mpinotes.pretrained.code import package_hash
from mpinotes.pretrained.release import FOLDER, load_release, released, save_release

__all__ = ["FOLDER", "load_release", "package_hash", "released", "save_release"]
