"""Files of scanners in the Magnetic Particle Imaging Data Format (MDF) 2.x, a layout of HDF5: system matrices,
measurements and reconstructions.

Source: the MDF specification 2.1.0 (Knopp et al., arXiv 1602.06072). Where it leaves a choice we do
as its reference implementation MPIFiles.jl does. Above all: the data are the rfft of the V samples
of one period, not normalised, that is V û_k. Our V is a power of two, so the way into a file and
back changes no bit. Names that start with an underscore are additions of ours.
"""

from mpinotes.scanner_files.drives import Drives
from mpinotes.scanner_files.matrix_reading import load_matrix
from mpinotes.scanner_files.matrix_writing import save_matrix
from mpinotes.scanner_files.measurement import Measurement, load_measurement, save_measurement
from mpinotes.scanner_files.pairing import pair_rows
from mpinotes.scanner_files.reconstruction_writing import save_reconstruction

__all__ = [
    "Drives",
    "Measurement",
    "load_matrix",
    "load_measurement",
    "pair_rows",
    "save_matrix",
    "save_measurement",
    "save_reconstruction",
]
