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
    record = load_record("seeds")
    logs = [log for log in record.trainings if log.method == "ddpm"]
    assert len({(log.seed, log.device) for log in logs}) == len(logs) > 1
    assert [log.condition for log in logs] == [f"training/{number}" for number in range(len(logs))]
    assert all(record.value("ddpm", "psnr_minus_ddpm", log.condition) == 0 for log in logs)


def test_loss_curves_of_the_table_s_trainings_stand_in_its_record_alone():
    table, record = load_record("table"), load_record("seeds")
    assert all(len(log.loss) == 100 for log in table.trainings)
    curves = [log.loss for log in (*table.trainings, *record.trainings) if log.loss]
    assert len(set(curves)) == len(curves)
    assert not any(log.loss for log in record.trainings if log.condition == "training/0")
