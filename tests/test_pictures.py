import matplotlib.pyplot as plt

from book.tools.pictures import main


def test_the_pictures_of_readme_and_front_page_are_drawn(tmp_path):
    main(tmp_path)
    height, width, _ = plt.imread(tmp_path / "result.png").shape
    assert width > height > 100
    for kind in ("front", "front_matrix"):
        front = [plt.imread(tmp_path / f"{kind}_{name}.png") for name in ("truth", "before", "after")]
        assert all(picture.shape[1] == 3 * picture.shape[0] for picture in front)
        truth, before, after = front
        assert abs(after - truth).mean() < abs(before - truth).mean()
