"""Diffusion models meet Magnetic Particle Imaging: the code behind the book."""

__version__ = "0.4.0"
