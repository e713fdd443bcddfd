import matplotlib.pyplot as plt

from mpinotes.display import draw_dccdm
from mpinotes.networks import UNetConfig


def test_every_level_and_every_term_is_in_the_drawing():
    figure = draw_dccdm(UNetConfig(widths=(16, 48, 96)), side=64)
    texts = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    assert texts.count("16 ch, 32³") == texts.count("48 ch, 16³") == 2 and texts.count("96 ch, 8³") == 1
    assert {"diffusion", "degradation consistency", "frequency alignment"} <= set(texts)
