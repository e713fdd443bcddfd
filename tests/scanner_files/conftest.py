import pytest

from mpinotes.scanner_files import save_matrix
from tests.scanner_files.matrices import matrix_of


@pytest.fixture
def saved(tmp_path):
    """A two-dimensional matrix with signal-to-noise ratios, and its file."""
    matrix, path = matrix_of(2, snr=True), tmp_path / "matrix.mdf"
    save_matrix(matrix, path)
    return matrix, path
