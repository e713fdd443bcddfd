import errno
import itertools
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

SCANS = {
    1: LissajousScan(
        gradient=(-2.5,),
        amplitude=(20e-3,),
        base_frequency=25e3,
        density=5,
        shape=(7,),
        field_of_view=(30e-3,),
        coil_sensitivity=2e-3,
    ),
    2: LissajousScan(
        gradient=(1.0, -0.7),
        amplitude=(20e-3, 15e-3),
        base_frequency=25e3,
        density=7,
        shape=(3, 4),
        field_of_view=(30e-3, 40e-3),
        coil_sensitivity=(1e-3, 2e-3),
    ),
    3: LissajousScan(
        gradient=(1.0, 1.5, -2.5),
        amplitude=(20e-3, 15e-3, 10e-3),
        base_frequency=10e3,
        density=3,
        shape=(2, 3, 4),
        field_of_view=(30e-3, 40e-3, 20e-3),
        coil_sensitivity=1e-3,
    ),
}
CYCLES = {1: (1,), 2: (8, 7), 3: (20, 15, 12)}  # of dividers 5; 7, 8; 3, 4, 5
ORDERS = {
    1: [[3], [1], [2]],
    2: [[2, 0], [1, 1], [0, 3], [2, -1]],
    3: [[1, 1, 1], [2, 0, 0], [0, 3, -1], [0, 0, 2], [1, 0, 1]],
}
every_scan = pytest.mark.parametrize("dims", [1, 2, 3])


def matrix_of(dims, *, snr=False, dtype=torch.complex128, orders=None, scan=None, components=None):
    """Random numbers on all channels and pixels, volts as small as those of one particle."""
    scan = scan or SCANS[dims]
    orders = torch.tensor(ORDERS[dims] if orders is None else orders)
    generator = torch.Generator().manual_seed(dims)
    if components is None:
        components = 1e-22 * torch.randn(dims, len(orders), *scan.shape, dtype=dtype, generator=generator)
    bins = (orders * torch.tensor(CYCLES[dims])).sum(1)
    return SystemMatrix(
        components=components,
        mixing_orders=orders,
        frequencies=bins.double() * scan.repetition_frequency,
        scan=scan,
        snr=torch.rand(dims, len(orders), dtype=torch.float64, generator=generator) if snr else None,
    )


def assert_same_bits(got, expected):
    assert got.dtype == expected.dtype and got.shape == expected.shape
    assert got.contiguous().numpy().tobytes() == expected.contiguous().numpy().tobytes()


@pytest.fixture
def saved(tmp_path):
    """A two-dimensional matrix with signal-to-noise ratios, and its file."""
    matrix, path = matrix_of(2, snr=True), tmp_path / "matrix.mdf"
    save_matrix(matrix, path)
    return matrix, path


def change(path, name, value):
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            strings = h5py.string_dtype() if np.asarray(value).dtype.kind == "U" else None
            file.create_dataset(name, data=value, dtype=strings)


@every_scan
@pytest.mark.parametrize("snr", [False, True])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_what_was_saved_comes_back_to_the_bit(dims, snr, dtype, tmp_path):
    matrix = matrix_of(dims, snr=snr, dtype=dtype)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    loaded = load_matrix(tmp_path / "matrix.mdf")
    assert loaded.scan == matrix.scan
    assert type(loaded.scan.density) is int and all(type(n) is int for n in loaded.scan.shape)
    for name in ("components", "mixing_orders", "frequencies"):
        assert_same_bits(getattr(loaded, name), getattr(matrix, name))
    if snr:
        assert_same_bits(loaded.snr, matrix.snr)
    else:
        assert loaded.snr is None


def test_zeros_of_both_signs_and_the_smallest_and_largest_numbers_come_back_to_the_bit(tmp_path):
    parts = torch.tensor([-0.0, 0.0, 5e-324, -5e-324, 1e300, -1e300], dtype=torch.float64)
    pairs = torch.view_as_complex(torch.cartesian_prod(parts, parts))[:28].reshape(1, 4, 7)
    matrix = matrix_of(1, orders=[[1], [2], [3], [900]], components=pairs)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    assert_same_bits(load_matrix(tmp_path / "matrix.mdf").components, pairs)


def test_a_drive_frequency_that_its_clock_only_nearly_gives_comes_back_to_the_bit(tmp_path):
    frequency = 26041.2
    assert 13 * frequency / 13 != frequency
    matrix = matrix_of(1, scan=LissajousScan(**{**vars(SCANS[1]), "base_frequency": frequency, "density": 13}))
    save_matrix(matrix, tmp_path / "matrix.mdf")
    loaded = load_matrix(tmp_path / "matrix.mdf")
    assert loaded.scan == matrix.scan
    assert_same_bits(loaded.frequencies, matrix.frequencies)


def test_a_matrix_with_gradients_and_a_path_as_text_are_fine(tmp_path):
    matrix = matrix_of(2)
    matrix.components.requires_grad_()
    save_matrix(matrix, str(tmp_path / "matrix.mdf"))
    loaded = load_matrix(str(tmp_path / "matrix.mdf"))
    assert torch.equal(loaded.components, matrix.components) and not loaded.components.requires_grad


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


def write_foreign(path, **changes):
    """As another program may: version 2.0, older names, three drives of which one rests, frames slowest,
    a clock of our figure with density 2, all bins, big-endian single precision, background in between."""
    background = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0, 1])
    parts = np.random.default_rng(0).normal(size=(2, 2, 9, 6))
    clean = (parts[0] + 1j * parts[1]).astype(np.complex64)  # (channel, line, voxel)
    frames = np.full((10, 1, 2, 9), 1e6 + 0j, dtype=">c8")
    frames[background == 0, 0] = np.moveaxis(clean, -1, 0)
    content = {
        "version": "2.0.1",
        "acquisition/gradient": np.diag([-1.0, -1.0, 2.0])[None],
        "acquisition/drivefield/numChannels": [3],
        "acquisition/drivefield/strength": [[12e-3], [14e-3], [0.0]],
        "acquisition/drivefield/phase": np.full((1, 3, 1), math.pi / 2 - 2 * math.pi),
        "acquisition/drivefield/divider": [[2], [3], [17]],
        "acquisition/drivefield/waveform": "sine",
        "acquisition/drivefield/baseFrequency": 60e3,
        "acquisition/receiver/numChannels": 2,
        "acquisition/receiver/numSamplingPoints": 17,
        "acquisition/receiver/bandwidth": 80e3,
        "measurement/data": frames,
        "measurement/isFourierTransformed": np.int8(1),
        "measurement/isTransposed": np.int8(0),
        "measurement/isFrequencySelection": np.int8(0),
        "measurement/isFramePermutation": np.int8(1),
        "measurement/isBackgroundFrame": background.astype(np.int8),
        "calibration/method": "robot",
        "calibration/size": np.array([3, 2, 1]),
        "calibration/fieldOfView": np.array([30e-3, 20e-3, 1e-3]),
    } | changes
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file[name] = value
    return clean / np.float32(17)


def test_a_file_of_others_is_understood_and_its_background_dropped(tmp_path):
    clean = write_foreign(tmp_path / "other.mdf")
    matrix = load_matrix(tmp_path / "other.mdf")
    assert matrix.components.dtype == torch.complex64
    np.testing.assert_allclose(matrix.components.numpy(), clean.reshape(2, 9, 2, 3), rtol=1e-6)
    assert matrix.scan == LissajousScan(
        gradient=(-1.0, -1.0),
        amplitude=(12e-3, 14e-3),
        base_frequency=30e3,
        density=2,
        shape=(2, 3),
        field_of_view=(30e-3, 20e-3),
        coil_sensitivity=1.0,
    )
    np.testing.assert_allclose(matrix.frequencies, 10e3 * np.arange(9), rtol=1e-12)
    lowest = [[0, 0], [1, -1], [0, 1], [1, 0], [0, 2], [1, 1], [2, 0], [1, 2], [2, 1]]
    assert matrix.mixing_orders.tolist() == lowest
    assert matrix.snr is None


def test_frames_that_run_fastest_load_alike_whatever_the_flag_is_called(tmp_path):
    write_foreign(tmp_path / "slow.mdf")
    expected = load_matrix(tmp_path / "slow.mdf").components
    with h5py.File(tmp_path / "slow.mdf") as file:
        fast = np.moveaxis(file["measurement/data"][()], 0, -1)
    for flag in ("isTransposed", "isFastFrameAxis"):
        changes = {"measurement/data": fast, "measurement/isTransposed": None, f"measurement/{flag}": np.int8(1)}
        write_foreign(tmp_path / f"{flag}.mdf", **changes)
        assert_same_bits(load_matrix(tmp_path / f"{flag}.mdf").components, expected)


def test_the_newer_name_of_the_flag_wins(tmp_path):
    clean = write_foreign(
        tmp_path / "both.mdf", **{"measurement/isTransposed": np.int8(1), "measurement/isFastFrameAxis": np.int8(0)}
    )
    loaded = load_matrix(tmp_path / "both.mdf").components
    np.testing.assert_allclose(loaded.numpy(), clean.reshape(2, 9, 2, 3), rtol=1e-6)


@every_scan
def test_mixing_orders_that_a_file_lacks_are_the_lowest_of_their_bin(dims, tmp_path):
    """Against every combination up to a sum of moduli of 12."""
    orders = ORDERS[dims]
    save_matrix(matrix_of(dims), tmp_path / "matrix.mdf")
    change(tmp_path / "matrix.mdf", "measurement/_mixingOrders", None)
    found = load_matrix(tmp_path / "matrix.mdf").mixing_orders
    assert found.dtype == torch.int64 and found.shape == (len(orders), dims)
    candidates = np.array([o for o in itertools.product(range(-12, 13), repeat=dims) if sum(map(abs, o)) <= 12])
    for order, got in zip(orders, found.tolist(), strict=True):
        rivals = candidates[candidates @ CYCLES[dims] == np.dot(order, CYCLES[dims])]
        rivals = rivals[np.abs(rivals).sum(1) == np.abs(rivals).sum(1).min()]
        assert got in rivals.tolist()
        assert (np.array(got) < 0).sum() == (rivals < 0).sum(1).min()


def test_of_equally_low_orders_the_one_without_negative_numbers_is_taken(tmp_path):
    """Of dividers 1, 2, 3: in bin 4 both (1, 0, -1) and (0, 0, 2) have two as the sum of moduli."""
    scan = LissajousScan(**{**vars(SCANS[3]), "density": 1})
    assert scan.cycles == (6, 3, 2)
    components = torch.ones(3, 1, *scan.shape, dtype=torch.complex128)
    frequencies = torch.tensor([4 * scan.repetition_frequency], dtype=torch.float64)
    matrix = SystemMatrix(components, torch.tensor([[1, 0, -1]]), frequencies, scan)
    save_matrix(matrix, tmp_path / "matrix.mdf")
    assert load_matrix(tmp_path / "matrix.mdf").mixing_orders.tolist() == [[1, 0, -1]]
    change(tmp_path / "matrix.mdf", "measurement/_mixingOrders", None)
    assert load_matrix(tmp_path / "matrix.mdf").mixing_orders.tolist() == [[0, 0, 2]]


def test_a_path_without_a_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.mdf: there is no such file, accepted is .* MDF 2.x"):
        load_matrix(tmp_path / "nowhere.mdf")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9])
def test_a_truncated_file_is_refused_by_its_path(saved, share):
    path, content = saved[1], saved[1].read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="matrix.mdf: damaged, or no HDF5 file"):
        load_matrix(path)


def test_a_file_that_is_no_hdf5_is_refused_by_its_path(tmp_path):
    (tmp_path / "notes.mdf").write_text("Not a system matrix. " * 500)
    with pytest.raises(ValueError, match="notes.mdf: damaged, or no HDF5 file"):
        load_matrix(tmp_path / "notes.mdf")


@pytest.mark.parametrize(
    "name",
    [
        "version",
        "acquisition",
        "acquisition/gradient",
        "acquisition/drivefield",
        *(f"acquisition/drivefield/{name}" for name in ("numChannels", "strength", "phase", "divider", "waveform")),
        "acquisition/drivefield/baseFrequency",
        "acquisition/receiver",
        *(f"acquisition/receiver/{name}" for name in ("numChannels", "numSamplingPoints", "bandwidth")),
        "measurement",
        *(f"measurement/{name}" for name in ("data", "isFourierTransformed", "isFastFrameAxis", "isBackgroundFrame")),
        *(f"measurement/{name}" for name in ("isFrequencySelection", "frequencySelection")),
        "calibration",
        *(f"calibration/{name}" for name in ("size", "fieldOfView")),
    ],
)
def test_a_missing_group_or_dataset_is_named(saved, name):
    change(saved[1], name, None)
    with pytest.raises(ValueError, match=f"matrix.mdf: '/{name}.*' is missing"):
        load_matrix(saved[1])


@pytest.mark.parametrize(
    "name", ["calibration/order", "calibration/fieldOfViewCenter", "acquisition/offsetField", "study"]
)
def test_what_a_system_matrix_does_not_need_may_be_missing(saved, name):
    change(saved[1], name, None)
    assert_same_bits(load_matrix(saved[1]).components, saved[0].components)


def data_with(value):
    data = np.ones((1, 2, 4, 12), dtype=complex)
    data[0, 1, 2, 3] = value
    return data


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("version", "1.0.5", "'/version' is 1.0.5, accepted is 2.x"),
        ("version", "3.0.0", "'/version' is 3.0.0, accepted is 2.x"),
        ("measurement/isFourierTransformed", 0, "isFourierTransformed' is 0, accepted is 1"),
        ("measurement/isSparsityTransformed", 1, "isSparsityTransformed' is 1, accepted is 0"),
        ("measurement/data", data_with(math.nan), "data' has NaN or infinite values"),
        ("measurement/data", data_with(complex(0, math.inf)), "data' has NaN or infinite values"),
        ("measurement/data", np.ones((1, 2, 4, 12)), "data' is float64, accepted are complex numbers"),
        ("measurement/data", np.ones((1, 2, 4, 11)) + 0j, "data' has shape .*11.*, accepted is .*12"),
        ("measurement/data", np.ones((1, 2, 3, 12)) + 0j, "data' has shape .*3, 12.*, accepted is .*4, 12"),
        ("measurement/data", np.ones((1, 3, 4, 12)) + 0j, "data' has shape .*3, 4.*, accepted is .*2, 4"),
        ("measurement/data", np.ones((12, 1, 2, 4)) + 0j, "data' has shape .*12, 1.*, accepted is .*1, 2"),
        ("measurement/isFastFrameAxis", 0, "data' has shape .*1, 2, 4, 12.*, accepted is .*12, 1, 2, 4"),
        ("measurement/isBackgroundFrame", np.zeros(13), "isBackgroundFrame' leaves 13, accepted is 12"),
        ("measurement/isBackgroundFrame", np.eye(12)[0], "isBackgroundFrame' leaves 11, accepted is 12"),
        ("measurement/frequencySelection", [0, 5, 6, 7], "frequencySelection' is .*, accepted are 1 to 33"),
        ("measurement/frequencySelection", [1, 5, 6, 34], "frequencySelection' is .*, accepted are 1 to 33"),
        ("measurement/_mixingOrders", np.ones((4, 2), int), "_mixingOrders' falls on other bins"),
        ("measurement/_mixingOrders", np.ones((4, 3), int), "_mixingOrders' has shape .*, accepted is .*4, 2"),
        ("acquisition/receiver/numChannels", 3, "data' has shape"),
        ("acquisition/receiver/numSamplingPoints", 32, "bandwidth' is .* Hz, accepted is 16 bins of 3125.0 Hz"),
        ("acquisition/receiver/bandwidth", 1e6, "bandwidth' is 1000000.0 Hz, accepted is 32 bins of 3125.0 Hz"),
        ("acquisition/drivefield/divider", [[7], [9]], "divider' is .*7 9.*, accepted are consecutive ones"),
        ("acquisition/drivefield/divider", [[8], [7]], "divider' is .*8 7.*, accepted are consecutive ones"),
        ("acquisition/drivefield/phase", np.zeros((1, 2, 1)), "phase' is .*, accepted are sines at π/2"),
        ("acquisition/drivefield/phase", -np.full((1, 2, 1), math.pi / 2), "phase' is .*, accepted are sines"),
        ("acquisition/drivefield/waveform", [["sine"], ["triangle"]], "accepted are sines at π/2"),
        ("acquisition/drivefield/strength", np.zeros((1, 2, 1)), "strength' is .*, accepted are one to three"),
        (
            "acquisition/drivefield/strength",
            [[[0], [1e-2]]],
            "strength' is .*, accepted are one to three drives, x first",
        ),
        ("acquisition/drivefield/strength", np.full((2, 2, 1), 1e-2), "strength' has shape .*, accepted is .*1, 2, 1"),
        ("acquisition/gradient", np.ones((1, 1, 3, 3)), "gradient' is .*accepted are a diagonal"),
        ("acquisition/gradient", np.ones((2, 1, 3, 3)), "gradient' has shape .*, accepted is .*1, 1, 3, 3"),
        ("acquisition/gradient", "steep", "gradient' is object, accepted are real numbers"),
        ("acquisition/offsetField", [[[0, 1e-3, 0]]], "offsetField' is not zero"),
        ("calibration/fieldOfViewCenter", [1e-3, 0, 0], "fieldOfViewCenter' is not zero"),
        ("calibration/fieldOfView", [-3e-2, 4e-2, 1e-3], "field_of_view: got -0.03, accepted is"),
        ("calibration/size", [5, 3, 1], "isBackgroundFrame' leaves 12, accepted is 15"),
        ("calibration/size", [2, 3, 2], "accepted are a diagonal and one voxel in directions without a drive"),
        ("calibration/order", "zyx", "order' is zyx, accepted is xyz"),
        ("calibration/snr", np.ones((1, 4, 2)), "snr' has shape .*4, 2.*, accepted is .*2, 4"),
    ],
    ids=str,
)
def test_what_is_wrong_in_a_file_is_named_after_its_path(saved, name, value, message):
    change(saved[1], name, value)
    with pytest.raises(ValueError, match=f"matrix.mdf: .*{message}"):
        load_matrix(saved[1])


def test_frames_in_the_order_of_a_meandering_robot_are_refused(saved):
    change(saved[1], "measurement/isFramePermutation", 0)
    load_matrix(saved[1])
    with h5py.File(saved[1], "r+") as file:
        file["calibration/isMeanderingGrid"] = 1
    with pytest.raises(ValueError, match="order' is meander, accepted is xyz"):
        load_matrix(saved[1])


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
