"""Cards tell the truth: their metrics come out again on real data."""

import shutil

import pytest

from mpinotes.data import (
    CALIBRATION_NOISE,
    HELD_OUT_TESTS,
    TEST_SEED,
    Amounts,
    image_pairs,
    matrix_test_pairs,
    particle_split,
)
from mpinotes.evaluation import component_scores, summarise
from mpinotes.files import save_atomically
from mpinotes.methods import METHODS, load
from mpinotes.pretrained import FOLDER, load_release, released, save_release
from mpinotes.studies import load_record

WHOLE = Amounts(train_volumes=1335, test_volumes=382, matrix_settings=90, matrix_components=168)


def test_every_release_has_a_whole_card():
    assert (
        set(released())
        == {"ddpm", "dccdm", "unet", "sm_unet", "sm_algorithm1", "sm_aware", "sm_unet_mixed"}
        <= set(METHODS)
    )
    for name in released():
        card = load(name).card
        assert {"config", "seed", "data", "version", "device", "training", "seconds", "metrics"} <= set(card)
        assert card["method"] == name and card["profile"] == "full"


def test_the_image_cards_hold_on_the_whole_real_test_split(real_vessels):
    pairs = image_pairs(real_vessels, seed=TEST_SEED)
    for name in ("ddpm", "dccdm", "unet"):
        trained = load(name)
        recorded = trained.card["metrics"]
        assert trained.method.calls == recorded["sampling_steps"]
        enhanced = trained(pairs.x_lr)
        rows = {"x_lr": summarise(pairs.x_lr, pairs.x_hr), "enhanced": summarise(enhanced, pairs.x_hr)}
        for row, metrics in rows.items():
            assert metrics["psnr"]["mean"] == pytest.approx(recorded[row]["psnr"]["mean"], abs=0.02)
            assert metrics["ssim"]["mean"] == pytest.approx(recorded[row]["ssim"]["mean"], abs=0.002)
        assert rows["enhanced"]["psnr"]["mean"] > rows["x_lr"]["psnr"]["mean"] + 6


@pytest.mark.parametrize(("condition", "noise"), [("clean", 0.0), ("noisy", CALIBRATION_NOISE)])
def test_the_matrix_cards_hold(condition, noise):
    test = matrix_test_pairs(WHOLE, HELD_OUT_TESTS, noise)
    for name in ("sm_unet", "sm_algorithm1", "sm_aware"):
        trained = load(name)
        recorded = trained.card["metrics"]
        assert trained.method.calls == recorded["sampling_steps"]
        for row, images in (("low", test.low), ("synthesised", trained(test.low, test.orders))):
            scores = component_scores(images, test.high)
            assert scores["psnr"]["median"] == pytest.approx(recorded[condition][row]["psnr"]["median"], abs=0.1)
            assert scores["ssim"]["median"] == pytest.approx(recorded[condition][row]["ssim"]["median"], abs=0.01)


def test_the_card_of_the_easy_axis_holds_on_one_setting_and_agrees_with_the_record():
    """All sixteen take minutes: the study recorded the median of each."""
    record, trained = load_record("easy_axis"), load("sm_unet_mixed")
    settings = particle_split("mixed").test
    place = min(range(len(settings)), key=lambda i: settings[i].core_diameter)
    test = matrix_test_pairs(WHOLE, settings[place : place + 1], 0.0)
    median = component_scores(trained(test.low, test.orders), test.high)["psnr"]["median"]
    # The receive chain of a single setting turns its lines by other phases.
    assert median == pytest.approx(record.values("sm_unet", "psnr", "clean")[place], abs=0.3)
    for condition in ("clean", "noisy"):
        recorded = trained.card["metrics"][condition]["synthesised"]["psnr"]["median"]
        assert record.row("sm_unet", "psnr_median", condition).mean == pytest.approx(recorded, abs=0.01)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"name: got 'gan', accepted are 'edsr'"):
        load("gan")


def test_a_missing_release_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="train it or reinstall"):
        load("ddpm", tmp_path)


def test_corrupted_weights_and_cards_of_others_are_refused(tmp_path):
    for suffix in ("safetensors", "json"):
        shutil.copy(FOLDER / f"ddpm.{suffix}", tmp_path)
    weights = tmp_path / "ddpm.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match="damaged"):
        load("ddpm", tmp_path)
    weights.write_bytes(whole)
    weights.write_bytes(whole[:-1000] + bytes([whole[-1000] ^ 1]) + whole[-999:])
    with pytest.raises(ValueError, match="weights are not those that the card was written for.*train it again"):
        load("ddpm", tmp_path)
    weights.write_bytes(whole)
    assert load("ddpm", str(tmp_path)).method.name == "ddpm"
    shutil.copy(FOLDER / "dccdm.json", tmp_path / "ddpm.json")
    with pytest.raises(ValueError, match="weights are not those that the card was written for"):
        load("ddpm", tmp_path)
    for content in ("[]", "{}", '{"sha256": null}'):
        (tmp_path / "ddpm.json").write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match="damaged"):
            load("ddpm", tmp_path)
    (tmp_path / "ddpm.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        load("ddpm", tmp_path)


def test_a_release_under_the_name_of_another_method_is_refused(tmp_path):
    """DDPM and DCCDM have one network, so the weights fit."""
    for suffix in ("safetensors", "json"):
        shutil.copy(FOLDER / f"ddpm.{suffix}", tmp_path / f"dccdm.{suffix}")
    with pytest.raises(ValueError, match="release 'dccdm' in .* is of 'ddpm': train it again"):
        load("dccdm", tmp_path)


def test_a_card_of_another_network_is_refused(tmp_path):
    card = load_release("sm_unet")[1]
    network = load("sm_unet").model
    save_release("sm_unet", network, card | {"config": load("dccdm").card["config"]}, str(tmp_path))
    with pytest.raises(ValueError, match="does not fit its card"):
        load("sm_unet", tmp_path)


def test_a_disk_that_fills_up_between_weights_and_card_leaves_no_release_of_two_trainings(tmp_path, monkeypatch):
    card = load_release("sm_unet")[1]
    save_release("sm_unet", load("sm_unet").model, card, tmp_path)

    def full(path, content):
        if path.suffix == ".json":
            raise OSError("no space left")
        save_atomically(path, content)

    monkeypatch.setattr("mpinotes.pretrained.release.save_atomically", full)
    with pytest.raises(OSError, match="no space left"):
        save_release("sm_unet", load("sm_aware").model, card, tmp_path)
    with pytest.raises(ValueError, match="weights are not those that the card was written for"):
        load("sm_unet", tmp_path)
