from dataclasses import replace

import pytest
import torch

from mpinotes.data import Imaging, reconstruct_images, scan_volumes, synthetic_vessels
from mpinotes.evaluation import psnr
from mpinotes.methods import CLASSICAL_METHODS

SHAPE = (12, 10, 16)
IMAGING = Imaging()
TRUTH = synthetic_vessels(2, side=16, seed=0)[..., 2:14, 3:13, :]
SIGNAL = scan_volumes(TRUTH, IMAGING, seed=0)

every_method = pytest.mark.parametrize("method", CLASSICAL_METHODS, ids=lambda method: method.name)


@every_method
def test_images_are_volumes_of_the_scan_in_the_unit_interval(method):
    image = method.reconstruct(SIGNAL, IMAGING, SHAPE, method.values[0])
    assert image.shape == TRUTH.shape and image.dtype == torch.float32
    assert image.min() >= 0 and image.max() <= 1


def test_total_variation_beats_tikhonov_on_the_same_scan():
    """The others need a field of view beyond these few millimetres for it: the record has them."""
    method = next(method for method in CLASSICAL_METHODS if method.name == "total_variation")
    tikhonov = psnr(reconstruct_images(SIGNAL, IMAGING, SHAPE[2]), TRUTH).mean()
    assert psnr(method.reconstruct(SIGNAL, IMAGING, SHAPE, 0.03), TRUTH).mean() > tikhonov + 0.5


@every_method
def test_a_scan_along_another_axis_gives_the_image_in_its_place(method):
    """A scanner turned by a quarter: the same image of the turned phantom."""
    turned = replace(IMAGING, scan=replace(IMAGING.scan, drive_axis="z", gradient=(-3.0, 1.5, 1.5), noise=0.0))
    straight = replace(IMAGING, scan=replace(IMAGING.scan, noise=0.0))
    side = synthetic_vessels(1, side=8, seed=1)
    signals = scan_volumes(side, straight, seed=0), scan_volumes(side.transpose(2, 4), turned, seed=0)
    images = [
        method.reconstruct(signal, imaging, (8, 8, 8), method.values[0])
        for signal, imaging in zip(signals, (straight, turned), strict=True)
    ]
    torch.testing.assert_close(images[1].transpose(2, 4), images[0], atol=2e-2, rtol=0)
