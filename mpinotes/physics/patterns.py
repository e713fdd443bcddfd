"""What a component looks like before the particle blurs it: waves along the two axes of the scan."""

import torch

from mpinotes.checks import check_count, check_several
from mpinotes.physics.mixing_orders import check_orders


def order_patterns(orders: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Patterns of mixing orders (n, m), (component, 2, y, x): sin nθ cos mφ for the x channel and
    cos nθ sin mφ for the y channel, with cos θ and cos φ the place over half the field of view.

    In one dimension this is exact for a step-like magnetisation: U_{n−1}(x) √(1 − x²) (Rahmer et al.,
    BMC Med. Imaging 9 (2009) 4). In two it is an approximation with the right parity; the
    centres of the pixels are sampled. `orders`: integers (component, 2); `shape`: pixels (y, x).

    >>> order_patterns(torch.tensor([[2, 0], [2, 1]]), (4, 4)).shape
    torch.Size([2, 2, 4, 4])
    >>> order_patterns(torch.tensor([[2, 0]]), (1, 4))[0, 0]
    tensor([[-0.9922, -0.4841,  0.4841,  0.9922]])
    """
    check_orders(orders, 2)
    check_several("shape", shape, (2,), "pixels (y, x)")
    for pixels in shape:
        check_count("shape", pixels)
    centres = (torch.arange(n, dtype=torch.float32, device=orders.device) + 0.5 for n in shape)
    phi, theta = (torch.arccos(centre / n * 2 - 1) for centre, n in zip(centres, shape, strict=True))
    along_x, along_y = orders[:, :1] * theta, orders[:, 1:] * phi
    pairs = [(along_y.cos(), along_x.sin()), (along_y.sin(), along_x.cos())]
    return torch.stack([y[:, :, None] * x[:, None, :] for y, x in pairs], dim=1)
