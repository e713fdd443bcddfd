"""The network that samples in the page: its numbers against torch's, and what happens where it cannot."""

import re

import pytest
import torch

from mpinotes.data import HELD_OUT_TESTS, TEST_SEED, matrix_pairs
from mpinotes.display.portable import portable_normal
from mpinotes.display.sampling import CONSTANT, DECAY_SAMPLERS, DECAY_SLIDERS, NOISES, decay_curves, make_example
from mpinotes.display.synthesis import Comparison, ConditionedEstimate, kept_steps, walk
from mpinotes.methods import load

CHAPTER, NETWORKS = "book/42_condition_decay.html", {"Algorithm 1": "sm_algorithm1", "noise-aware": "sm_aware"}
COMPONENTS = [(3, 2), (2, 0), (1, 1), (4, 4), (8, 3)]  # as the chapter simulates them: their phases are drawn together
DONE = re.compile(r"After (\d+) calls: PSNR ([\d.−-]+) dB .* ([\d.−-]+) dB in the y coil\.")


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([HELD_OUT_TESTS[1]], torch.tensor(COMPONENTS), phase_seed=TEST_SEED)


def explorer(page):
    return page.locator(".mpinotes-explorer", has=page.locator("[data-role=sample]"))


def told(figure):
    """Calls and PSNR of both coils, once the network has sampled what the controls say."""
    status = figure.locator("[data-role=status]")
    status.filter(has_text=DONE).wait_for(timeout=60_000)
    calls, x, y = DONE.match(status.inner_text()).groups()
    return int(calls), float(x), float(y)


def choose(figure, **values):
    """Set controls at once, so that one wish follows."""
    figure.evaluate(
        """(e, values) => {
          e.querySelector("[data-role=status]").textContent = "";
          const moved = Object.entries(values).map(([name, value]) => {
            const control = e.querySelector(`[name="${name}"]`);
            control.value = value;
            return control;
          });
          moved[0].dispatchEvent(new Event("input"));
        }""",
        values,
    )


def sampled(pairs, network, component, sampler, noise="none", calls=8, seed=0, **numbers):
    """The same in torch: PSNR of both coils."""
    trained = load(NETWORKS[network])
    example = make_example(pairs, COMPONENTS.index(component), NOISES)
    steps = kept_steps(DECAY_SAMPLERS[sampler], trained.config.objective.schedule, calls)
    levels, weights = decay_curves(torch.tensor([step.t for step in steps]).numpy() / 1000, **numbers).values()
    *_, last = walk(
        ConditionedEstimate(trained.model, trained.config), example.conditions[noise], example.orders, steps,
        list(zip(weights.tolist(), levels.tolist(), strict=True)), one_noise=sampler == "as printed", seed=seed,
    )  # fmt: skip
    return Comparison()(last.x0, example.turns[noise], example.truth)[3].flatten().tolist()


@pytest.mark.parametrize("network", NETWORKS)
def test_the_page_samples_what_torch_samples(visit, pairs, network):
    page = visit(CHAPTER)
    figure = explorer(page)
    figure.locator("[data-role=sample]").click()
    told(figure)
    for component in COMPONENTS[::2]:
        for sampler in DECAY_SAMPLERS:
            choose(figure, network=network, component=str(component), sampler=sampler)
            expected = sampled(pairs, network, component, sampler)
            assert told(figure) == pytest.approx((8, *expected), abs=0.02), (component, sampler)
    assert page.problems == []


def test_every_slider_has_its_part_in_the_sample(visit, pairs):
    page = visit(CHAPTER)
    figure = explorer(page)
    figure.locator("[data-role=sample]").click()
    told(figure)
    moved = {"eta_max": 0.5, "gamma": 2.0, "w_max": 1.5, "w_min": 0.2, "sigma": 0.5}
    choose(figure, **moved, seed=5, calls="4", noise="four times that")
    expected = sampled(pairs, "Algorithm 1", (3, 2), "derived", "four times that", calls=4, seed=5, **moved)
    assert told(figure) == pytest.approx((4, *expected), abs=0.02)
    assert all(slider.name in moved for slider in DECAY_SLIDERS)
    choose(figure, **CONSTANT)
    expected = sampled(pairs, "Algorithm 1", (3, 2), "derived", "four times that", calls=4, seed=5, **moved | CONSTANT)
    assert told(figure) == pytest.approx((4, *expected), abs=0.02)


@pytest.mark.parametrize("name", NETWORKS.values())
def test_the_runner_computes_what_the_network_does(visit, name):
    """Every value of an estimate, on noise."""
    page = visit(CHAPTER)
    explorer(page).evaluate("(e, n) => { window.wanted = n; }", name)
    trained = load(name)
    x, condition, noise = (portable_normal((1, 4, 32, 32), 9, stream) for stream in range(3))
    orders = torch.tensor([[8, 3]])
    estimate = ConditionedEstimate(trained.model, trained.config)
    with torch.no_grad():
        expected = estimate(
            x, torch.tensor([400.0]), condition, noise, torch.tensor([0.7]), torch.tensor([0.2]), orders
        )
    found = page.evaluate(
        """async (name) => {
          const text = [...document.querySelectorAll(".mpinotes-explorer script")].map((s) => s.textContent).join("");
          const source = JSON.parse(text.match(/"worker": ("(?:[^"\\\\]|\\\\.)*")/)[1]);
          await new Promise((done) => {
            const script = document.createElement("script");
            script.src = `${document.documentElement.dataset.content_root}_static/networks/${name}.js`;
            script.onload = done;
            document.head.append(script);
          });
          const probe = `
            onmessage = ({ data }) => {
              const { estimate } = unpack(data);
              const draw = (stream) => ({ shape: [1, 4, 32, 32], data: portableNormal(4096, 9, stream) });
              const orders = { shape: [1, 2], data: Float32Array.of(8, 3) };
              const inputs = [draw(0), number(400), draw(1), draw(2), number(0.7), number(0.2), orders];
              postMessage(call(estimate, inputs).map((array) => Array.from(array.data)));
            };`;
          const worker = new Worker(URL.createObjectURL(new Blob([source + probe])));
          worker.postMessage(window.mpinotesNetworks[name]);
          return new Promise((done) => (worker.onmessage = ({ data }) => done(data)));
        }""",
        name,
    )
    for got, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.tensor(got), wanted.flatten(), rtol=0, atol=1e-3)


def test_a_reader_walks_back_and_forward(visit):
    page = visit("book/21_diffusion.html")
    figure = explorer(page)
    assert figure.locator(".still").is_visible()
    figure.locator("[data-role=sample]").click()
    told(figure)
    assert not figure.locator(".still").is_visible()
    picture = "e => e.querySelector('[data-role=x]').toDataURL()"
    points = "e => e.querySelector('[data-role=gaussian]').innerHTML"
    last = figure.evaluate(picture), figure.evaluate(points)
    for _ in range(3):
        figure.locator("[data-role=back]").click()
    back = figure.evaluate(picture), figure.evaluate(points)
    assert "call 5" in figure.locator(".walk output").inner_text()
    assert back[0] != last[0] and back[1] != last[1]
    for _ in range(3):
        figure.locator("[data-role=forward]").click()
    assert (figure.evaluate(picture), figure.evaluate(points)) == last
    figure.locator("[data-role=sample]").click()  # other noise
    assert figure.locator('[name="seed"]').input_value() == "1"
    told(figure)
    assert figure.evaluate(picture) != last[0]


def test_sliders_move_while_the_network_works(visit):
    page = visit(CHAPTER)
    figure = explorer(page)
    figure.locator("[data-role=sample]").click()
    told(figure)
    choose(figure, calls="32", network="noise-aware")
    figure.locator("[data-role=status]", has_text="Sampling").wait_for()
    curves = "e => e.querySelector('[data-role=curves]').innerHTML"
    before = figure.evaluate(curves)
    figure.locator('[name="w_min"]').press("ArrowRight")
    assert figure.evaluate(curves) != before
    assert "Sampling" in figure.locator("[data-role=status]").inner_text()  # the network was not done
    assert told(figure)[0] == 32


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        ("", "cannot be read"),
        ("window.mpinotesNetworks = {sm_algorithm1: {", "cannot be read"),
        ("window.mpinotesNetworks = {sm_algorithm1: {programs: {}, index: {}, halves: 'AAAA', sum: 1}};", "damaged"),
    ],
)
def test_a_missing_or_damaged_network_is_told_and_the_still_picture_stays(visit, content, sentence):
    page = visit(CHAPTER)
    page.route(
        "**/sm_algorithm1.js",
        lambda route: route.abort() if content is None else route.fulfill(body=content, content_type="text/javascript"),
    )
    figure = explorer(page)
    figure.locator("[data-role=sample]").click()
    figure.locator("[data-role=status]", has_text=sentence).wait_for()
    assert figure.locator(".still").is_visible() and not figure.locator("[data-role=strip]").is_visible()


def test_a_flipped_bit_in_the_weights_is_found(visit, address):
    page = visit(CHAPTER)

    def flip(route):
        body = route.fetch().text()
        at = body.index('"halves": "') + 5000
        other = "A" if body[at] != "A" else "B"
        route.fulfill(body=body[:at] + other + body[at + 1 :], content_type="text/javascript")

    page.route("**/sm_algorithm1.js", flip)
    figure = explorer(page)
    figure.locator("[data-role=sample]").click()
    figure.locator("[data-role=status]", has_text="damaged").wait_for()


def test_a_browser_without_workers_says_so(browser, address):
    context = browser.new_context()
    context.add_init_script("delete window.Worker")
    page = context.new_page()
    page.goto(address + CHAPTER)
    figure = explorer(page)
    assert "cannot sample" in figure.locator("[data-role=status]").inner_text()
    assert figure.locator(".still").is_visible() and not figure.locator("[data-role=sample]").is_visible()
    context.close()


@pytest.mark.parametrize("path", ["book/11_mpi_physics.html", "book/21_diffusion.html", CHAPTER, "book/intro.html"])
def test_without_scripts_there_is_a_picture_and_a_sentence(browser, address, path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + path)
    for figure in page.locator(".mpinotes-explorer").all():
        assert figure.locator(".still img").is_visible()
        assert "still picture" in figure.locator(".still figcaption").inner_text()
        assert not figure.locator(".controls").is_visible() and not figure.locator(".moving").is_visible()
    context.close()


def test_nothing_moves_by_itself_for_a_reader_who_wants_calm(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(address + CHAPTER)
    figure = explorer(page)
    figure.evaluate(
        """e => {
          window.shown = [];
          const output = e.querySelector(".walk output");
          new MutationObserver(() => window.shown.push(output.textContent)).observe(output, { childList: true });
        }"""
    )
    figure.locator("[data-role=sample]").click()
    told(figure)
    assert page.evaluate("window.shown") == ["call 8, at t = 1"]
    context.close()


def test_weights_are_fetched_once_and_only_when_asked_for(visit):
    page = visit(CHAPTER)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url) if "/networks/" in request.url else None)
    figure = explorer(page)
    page.wait_for_timeout(300)
    assert fetched == []
    figure.locator("[data-role=sample]").click()
    told(figure)
    choose(figure, seed=3)
    told(figure)
    assert [url.rsplit("/", 1)[1] for url in fetched] == ["sm_algorithm1.js"]
