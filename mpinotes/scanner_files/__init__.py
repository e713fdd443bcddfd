"""Files of scanners: system matrices in the MPI Data Format (MDF)."""

from mpinotes.scanner_files.mdf import load_matrix, save_matrix

__all__ = ["load_matrix", "save_matrix"]
