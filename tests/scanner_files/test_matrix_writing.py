"""What a file of ours holds, and that a failure leaves the older one."""

import errno
import math
import re
from datetime import datetime
from uuid import UUID

import h5py
import numpy as np
import pytest
import torch

from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.scanner_files import load_matrix, save_matrix
from tests.scanner_files.matrices import CYCLES, ORDERS, SCANS, every_scan, matrix_of

TEXT, FLAG, WHOLE, REAL = "text", np.dtype(np.int8), np.dtype(np.int64), np.dtype(np.float64)
ONE, A, D, C, K, N = (), 1, 2, 2, 4, 12
LAYOUT = {  # type and dimensions of what MDF 2.1 asks for, with one period and one gradient a frame
    "version": (TEXT, ONE),
    "uuid": (TEXT, ONE),
    "time": (TEXT, ONE),
    **{f"study/{name}": (TEXT, ONE) for name in ("name", "uuid", "description")},
    "study/number": (WHOLE, ONE),
    **{f"experiment/{name}": (TEXT, ONE) for name in ("name", "uuid", "description", "subject")},
    "experiment/number": (WHOLE, ONE),
    "experiment/isSimulation": (FLAG, ONE),
    **{f"tracer/{name}": (TEXT, (A,)) for name in ("name", "batch", "vendor", "solute")},
    **{f"tracer/{name}": (REAL, (A,)) for name in ("volume", "concentration")},
    **{f"scanner/{name}": (TEXT, ONE) for name in ("name", "facility", "operator", "manufacturer", "topology")},
    "acquisition/startTime": (TEXT, ONE),
    **{f"acquisition/{name}": (WHOLE, ONE) for name in ("numAverages", "numFrames", "numPeriodsPerFrame")},
    "acquisition/gradient": (REAL, (1, 1, 3, 3)),
    "acquisition/offsetField": (REAL, (1, 1, 3)),
    **{f"acquisition/drivefield/{name}": (REAL, (1, D, 1)) for name in ("strength", "phase")},
    **{f"acquisition/drivefield/{name}": (REAL, ONE) for name in ("baseFrequency", "cycle")},
    "acquisition/drivefield/divider": (WHOLE, (D, 1)),
    "acquisition/drivefield/waveform": (TEXT, (D, 1)),
    "acquisition/drivefield/numChannels": (WHOLE, ONE),
    **{f"acquisition/receiver/{name}": (WHOLE, ONE) for name in ("numChannels", "numSamplingPoints")},
    "acquisition/receiver/bandwidth": (REAL, ONE),
    "acquisition/receiver/unit": (TEXT, ONE),
    "measurement/data": (np.dtype(np.complex128), (1, C, K, N)),
    "measurement/frequencySelection": (WHOLE, (K,)),
    "measurement/framePermutation": (WHOLE, (N,)),
    "measurement/isBackgroundFrame": (FLAG, (N,)),
    **{
        f"measurement/is{name}": (FLAG, ONE)
        for name in (
            *("BackgroundCorrected", "FastFrameAxis", "FourierTransformed", "FramePermutation", "FrequencySelection"),
            *("SparsityTransformed", "SpectralLeakageCorrected", "TransferFunctionCorrected"),
        )
    },
    "calibration/method": (TEXT, ONE),
    "calibration/order": (TEXT, ONE),
    "calibration/size": (WHOLE, (3,)),
    **{f"calibration/{name}": (REAL, (3,)) for name in ("fieldOfView", "fieldOfViewCenter", "deltaSampleSize")},
    "calibration/snr": (REAL, (1, C, K)),
}


def test_every_dataset_of_the_format_has_its_name_type_and_dimensions(saved):
    datasets = {}
    with h5py.File(saved[1]) as file:
        file.visititems(lambda name, item: datasets.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        found = {
            name: (TEXT if h5py.check_string_dtype(item.dtype) else item.dtype, item.shape)
            for name, item in datasets.items()
        }
    own = {name for name in found if name.split("/")[-1].startswith("_")}
    assert own == {
        "acquisition/drivefield/_frequency",
        "acquisition/drivefield/_phase",
        "acquisition/receiver/_coilSensitivity",
        "measurement/_mixingOrders",
    }
    assert {name: entry for name, entry in found.items() if name not in own} == LAYOUT


def test_whole_numbers_of_a_scan_are_real_numbers_in_the_file(tmp_path):
    whole = LissajousScan(
        gradient=(1, 1, -2),
        amplitude=(1, 1, 1),
        base_frequency=25000,
        density=3,
        shape=(2, 3, 4),
        field_of_view=(1, 1, 1),
        coil_sensitivity=1,
    )
    save_matrix(matrix_of(3, scan=whole), tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        for name in (
            *("acquisition/gradient", "acquisition/drivefield/strength", "acquisition/drivefield/baseFrequency"),
            *("acquisition/receiver/bandwidth", "acquisition/receiver/_coilSensitivity", "calibration/fieldOfView"),
        ):
            assert file[name].dtype == REAL
    assert load_matrix(tmp_path / "matrix.mdf").scan == whole


def test_complex_numbers_are_compounds_of_r_and_i_in_one_block(saved):
    with h5py.File(saved[1]) as file:
        data = file["measurement/data"]
        kind = data.id.get_type()
        assert kind.get_class() == h5py.h5t.COMPOUND
        assert [kind.get_member_name(i) for i in range(kind.get_nmembers())] == [b"r", b"i"]
        assert data.chunks is None  # MPIFiles.jl maps it into memory


def test_values_that_readers_rely_on(saved):
    with h5py.File(saved[1]) as file:
        text = {name: file[name].asstr()[()] for name in ("version", "time", "acquisition/startTime")}
        assert text["version"] == "2.1.0"
        for name in ("time", "acquisition/startTime"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", text[name])
            assert abs((datetime.fromisoformat(text[name] + "+00:00").timestamp()) - saved[1].stat().st_mtime) < 60
        assert len({UUID(file[name].asstr()[()]) for name in ("uuid", "study/uuid", "experiment/uuid")}) == 3
        assert file["experiment/isSimulation"][()] == 1
        assert file["calibration/method"].asstr()[()] == "simulation"
        assert file["calibration/order"].asstr()[()] == "xyz"
        assert file["acquisition/receiver/unit"].asstr()[()] == "V"
        assert [file[f"acquisition/{name}"][()] for name in ("numFrames", "numAverages", "numPeriodsPerFrame")] == [
            12,
            1,
            1,
        ]
        assert file["measurement/framePermutation"][()].tolist() == list(range(1, 13))
        assert not file["measurement/isBackgroundFrame"][()].any()
        flags = {
            name for name in file["measurement"] if name.startswith("is") and file["measurement"][name].shape == ()
        }
        on = {name for name in flags if file["measurement"][name][()] == 1}
        assert on == {f"is{n}" for n in ("BackgroundCorrected", "FastFrameAxis", "FourierTransformed")} | {
            "isFramePermutation",
            "isFrequencySelection",
        }


@every_scan
def test_the_drive_field_of_the_file_is_that_of_the_scan(dims, tmp_path):
    """H_d(t) = strength · sin(2π t baseFrequency / divider + phase), against cosines at the cycles of the figure."""
    scan = SCANS[dims]
    save_matrix(matrix_of(dims), tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        drive = file["acquisition/drivefield"]
        assert drive["numChannels"][()] == dims
        assert (drive["waveform"].asstr()[()] == "sine").all()
        strength, phase = drive["strength"][0, :, 0], drive["phase"][0, :, 0]
        frequency = drive["baseFrequency"][()] / drive["divider"][:, 0]
        period = drive["cycle"][()]
        assert period == pytest.approx(
            math.lcm(*drive["divider"][:, 0].tolist()) / drive["baseFrequency"][()], rel=1e-12
        )
    t = np.arange(50) / 50 * period
    field = strength * np.sin(2 * np.pi * frequency * t[:, None] + phase)
    expected = np.array(scan.amplitude) * np.cos(2 * np.pi * np.array(CYCLES[dims]) * np.arange(50)[:, None] / 50)
    np.testing.assert_allclose(field, expected, rtol=0, atol=1e-12)
    assert 1 / period == pytest.approx(scan.base_frequency / CYCLES[dims][0], rel=1e-12)


@every_scan
def test_the_selection_field_has_no_divergence(dims, tmp_path):
    save_matrix(matrix_of(dims), tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        gradient = file["acquisition/gradient"][0, 0]
    expected = {1: [-2.5, 1.25, 1.25], 2: [1.0, -0.7, -0.3], 3: [1.0, 1.5, -2.5]}[dims]
    np.testing.assert_allclose(gradient, np.diag(expected), rtol=1e-15, atol=0)
    assert np.trace(gradient) == pytest.approx(0, abs=1e-15)


@every_scan
def test_indices_of_frequencies_count_the_bins_from_one(dims, tmp_path):
    matrix = matrix_of(dims)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        receiver, index = file["acquisition/receiver"], file["measurement/frequencySelection"][()]
        bandwidth, samples = receiver["bandwidth"][()], int(receiver["numSamplingPoints"][()])
    assert index.tolist() == [1 + sum(n * c for n, c in zip(o, CYCLES[dims], strict=True)) for o in ORDERS[dims]]
    bins = samples // 2 + 1
    np.testing.assert_allclose((index - 1) * bandwidth / (bins - 1), matrix.frequencies, rtol=1e-12)
    assert index.max() < bins


@every_scan
def test_the_data_are_the_rfft_of_the_voltage_over_one_period(dims, tmp_path):
    matrix = matrix_of(dims)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        samples = int(file["acquisition/receiver/numSamplingPoints"][()])
        t = np.arange(samples) / samples * file["acquisition/drivefield/cycle"][()]
        spectrum = np.zeros((dims, samples // 2 + 1, math.prod(matrix.scan.shape)), dtype=complex)
        spectrum[:, file["measurement/frequencySelection"][()] - 1] = file["measurement/data"][0]
    waves = 2 * np.exp(2j * np.pi * matrix.frequencies.numpy() * t[:, None])
    voltage = np.einsum("tk,ckp->ctp", waves, matrix.components.flatten(2).numpy()).real
    np.testing.assert_allclose(np.fft.irfft(spectrum, samples, axis=1), voltage, rtol=0, atol=1e-12 * voltage.max())


@every_scan
def test_x_runs_fastest_through_the_voxels(dims, tmp_path):
    """The value of a pixel is its position [m], worked out from its index in (…, y, x) and, for the
    file, from its number, the size and the field of view."""
    scan = SCANS[dims]
    axes = [
        (np.arange(n) + 0.5) * view / n - view / 2 for n, view in zip(scan.shape[::-1], scan.field_of_view, strict=True)
    ]
    places = np.meshgrid(*axes[::-1], indexing="ij")[::-1]
    components = torch.tensor(np.stack(places))[:, None].to(torch.complex128)
    save_matrix(matrix_of(dims, orders=[[1] * dims], components=components), tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        samples = file["acquisition/receiver/numSamplingPoints"][()]
        data = file["measurement/data"][0, :, 0].real / samples
        size, view = file["calibration/size"][()], file["calibration/fieldOfView"][()]
        np.testing.assert_array_equal(file["calibration/fieldOfViewCenter"][()], 0)
    number = np.arange(size.prod())
    index = np.stack([number % size[0], number // size[0] % size[1], number // (size[0] * size[1])])
    positions = (index + 0.5) * (view / size)[:, None] - view[:, None] / 2
    np.testing.assert_allclose(data, positions[:dims], rtol=0, atol=1e-15)


@every_scan
def test_directions_without_a_drive_have_one_voxel_as_long_as_the_shortest_edge(dims, tmp_path):
    save_matrix(matrix_of(dims), tmp_path / "matrix.mdf")
    with h5py.File(tmp_path / "matrix.mdf") as file:
        size, view, sample = (file[f"calibration/{n}"][()] for n in ("size", "fieldOfView", "deltaSampleSize"))
    assert size.tolist() == {1: [7, 1, 1], 2: [4, 3, 1], 3: [4, 3, 2]}[dims]
    expected = {1: [30e-3, 30e-3 / 7, 30e-3 / 7], 2: [30e-3, 40e-3, 30e-3 / 4], 3: [30e-3, 40e-3, 20e-3]}[dims]
    np.testing.assert_allclose(view, expected, rtol=1e-15)
    np.testing.assert_allclose(sample, view / size, rtol=1e-15)


def replaced(**changes):
    return SystemMatrix(**{**vars(matrix_of(2, snr=True)), **changes})


@pytest.mark.parametrize(
    "matrix, message",
    [
        (replaced(components=torch.full((2, 4, 3, 4), math.nan + 0j)), "components: got NaN"),
        (replaced(components=torch.ones(2, 4, 4, 3) + 0j), "components: got shape .*4, 3.*, accepted is .*3, 4"),
        (replaced(components=torch.ones(2, 4, 12) + 0j), "components: got shape"),
        (replaced(mixing_orders=torch.ones(3, 2).long()), "mixing_orders: got shape .*3, 2.*, accepted is .*4, 2"),
        (replaced(frequencies=matrix_of(2).frequencies * (1 + 1e-6)), "frequencies: got others than those of"),
        (replaced(frequencies=torch.ones(3).double()), "frequencies: got shape .*3.*, accepted is .*4"),
        (replaced(snr=torch.ones(4, 2)), "snr: got shape .*4, 2.*, accepted is .*2, 4"),
        (replaced(snr=torch.full((2, 4), math.nan)), "snr: got NaN"),
        (replaced(snr=-torch.ones(2, 4)), "snr: got -1, accepted is at least 0"),
        (replaced(components=torch.ones(2, 4, 3, 4)), "components: got dtype torch.float32, accepted are complex"),
        (replaced(mixing_orders=matrix_of(2).mixing_orders + 0.3), "mixing_orders: got .*, accepted are integers"),
        (replaced(mixing_orders=ORDERS[2]), "mixing_orders: got list, accepted are integers"),
        (replaced(frequencies=[1.0]), "frequencies: got list, accepted is a torch tensor"),
        (replaced(scan=None), "scan: got NoneType, accepted is a LissajousScan"),
        (matrix_of(2).components, "matrix: got Tensor, accepted is a SystemMatrix"),
        (matrix_of(2, orders=[[1, 0], [-1, 0]]), "frequencies: got .*, accepted are theirs, none negative"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_matrix_that_does_not_fit_leaves_the_old_file_and_nothing_else(saved, matrix, message):
    before = saved[1].read_bytes()
    with pytest.raises(ValueError, match=message):
        save_matrix(matrix, saved[1])
    assert saved[1].read_bytes() == before
    assert list(saved[1].parent.iterdir()) == [saved[1]]


@pytest.mark.parametrize("place", ["h5py.File.create_dataset", "os.replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(saved, place, monkeypatch):
    before, reached = saved[1].read_bytes(), []
    write = h5py.File.create_dataset

    def fail(*args, **kwargs):
        if place == "os.replace" or args[1] == "measurement/data":
            reached.extend(path.name for path in saved[1].parent.iterdir())
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(*args, **kwargs)

    monkeypatch.setattr(place, fail)
    with pytest.raises(OSError, match="No space left"):
        save_matrix(matrix_of(2), saved[1])
    assert reached  # it was on its way
    assert saved[1].read_bytes() == before
    assert list(saved[1].parent.iterdir()) == [saved[1]]


def test_saving_again_replaces_the_file(saved):
    save_matrix(matrix_of(3), saved[1])
    assert load_matrix(saved[1]).scan == SCANS[3]
    assert list(saved[1].parent.iterdir()) == [saved[1]]
