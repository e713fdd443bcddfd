import shutil

from mpinotes.pretrained import FOLDER
from mpinotes.studies import load_record
from mpinotes.studies.seeds import REPEATED, repetitions


def release(name, folder):
    folder.mkdir()
    for suffix in ("json", "safetensors"):
        shutil.copy(FOLDER / f"{name}.{suffix}", folder)


def test_a_repetition_counts_where_all_its_methods_were_trained(tmp_path):
    for name in REPEATED:
        release(name, tmp_path / f"{name}_1")
    release("unet", tmp_path / "unet_2")  # without its DDPM
    found = repetitions(tmp_path)
    assert len(found) == 2 and all(set(methods) == set(REPEATED) for methods in found)


def test_each_recorded_repetition_is_a_training_of_its_own():
    trainings = load_record("seeds")["trainings"]
    assert len({(row["seed"], row["training"]["3D DDPM"]["device"]) for row in trainings}) == len(trainings) > 1
    for row in trainings:
        assert row["rows"]["3D DDPM"]["psnr minus 3D DDPM"]["mean"] == 0
