"""What holds for the gradient of every selection field."""

_LARGEST = 100.0  # T/m, tens of times that of any scanner
_UNEVEN = 1e-2  # of the largest gradient: what measured ones leave as a sum


def check_gradient(gradient: tuple[float, ...]) -> None:
    """Raise ``ValueError`` unless the values are finite, none zero, and three of them free of divergence."""
    if not all(0 < abs(value) <= _LARGEST for value in gradient):
        raise ValueError(
            f"gradient: got {gradient} T/m, accepted are values up to ±{_LARGEST:g} T/m, none zero (are they in mT/m?)"
        )
    if len(gradient) == 3 and abs(sum(gradient)) > _UNEVEN * max(map(abs, gradient)):
        raise ValueError(f"gradient: got {gradient}, accepted is a divergence-free field (sum 0)")
