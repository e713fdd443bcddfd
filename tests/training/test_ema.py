import torch

from mpinotes.training import make_ema


def test_follows_the_closed_form_of_the_warmed_up_average():
    model = torch.nn.Linear(1, 1, bias=False)
    ema = make_ema(model, 0.5)
    expected = None
    for n, value in enumerate([1.0, 4.0, -2.0, 8.0, 3.0]):
        torch.nn.init.constant_(model.weight, value)
        ema.update_parameters(model)
        # The first update copies; the n-th keeps min(decay, (1 + n)/(10 + n)).
        keep = min(0.5, (1 + n) / (10 + n))
        expected = value if expected is None else keep * expected + (1 - keep) * value
        torch.testing.assert_close(ema.module.weight.item(), expected, rtol=1e-6, atol=0)
