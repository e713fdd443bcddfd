// A network that samples in the page: it is fetched when the reader asks for it, and runs in a worker.
function start(root, specification) {
  const { networks, components, noises, calls, samplers, colours: map, gaussian } = specification.sampling;
  const find = (role) => root.querySelector(`[data-role="${role}"]`);
  const button = find("sample");
  const status = find("status");
  const scrub = find("step");
  const still = root.querySelector(".still");
  const curves = specification.curves ? makeCurves(specification.curves, specification.controls) : null;
  const seedInput = root.querySelector('[name="seed"]');
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let [worker, values, steps, path, id, following] = [null, null, [], [], 0, true];
  const ready = {}; // promises by network

  function paint(role, numbers, low, high) {
    const canvas = find(role);
    if (!canvas) return;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!numbers) return;
    const image = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++) {
      const row = canvas.height - 1 - Math.floor(i / canvas.width); // y grows upwards
      const share = Math.min(Math.max((numbers[i] - low) / (high - low), 0), 1);
      const colour = map[Math.round(share * 255)];
      image.data.set([...colour, 255], 4 * (row * canvas.width + (i % canvas.width)));
    }
    context.putImageData(image, 0, 0);
  }

  const say = (text) => (status.textContent = text);

  function fetchNetwork(name) {
    const own = document.documentElement.dataset.content_root || "";
    const missing = "The network's file cannot be read. The picture below stays as it was when the book was built.";
    return new Promise((resolve, reject) => {
      const files = () => window.mpinotesNetworks || {};
      const arrived = () => (files()[name] ? resolve(files()[name]) : reject(new Error(missing)));
      if (files()[name]) return arrived();
      const script = document.createElement("script");
      script.src = `${own}_static/networks/${name}.js`;
      script.onload = arrived;
      script.onerror = () => reject(new Error(missing));
      document.head.append(script);
    });
  }

  function load(name) {
    if (!worker) {
      const source = new Blob([specification.worker], { type: "text/javascript" });
      worker = new Worker(URL.createObjectURL(source));
      worker.addEventListener("message", ({ data }) => data.id === id && arrive(data));
    }
    ready[name] =
      ready[name] ||
      fetchNetwork(name).then(
        (file) =>
          new Promise((resolve, reject) => {
            worker.addEventListener("message", ({ data }) => {
              if (data.loaded === name) resolve();
              if (data.failed === name) reject(new Error("The network's file is damaged, so nothing is sampled."));
            });
            worker.postMessage({ name, file });
          }),
      );
    return ready[name];
  }

  // A choice with one option has no control.
  const choose = (table, name) => table[name in values ? values[name] : Object.keys(table)[0]];
  const picked = () => ({
    network: choose(networks, "network"),
    component: choose(components, "component"),
    noise: Math.max(noises.indexOf(values.noise), 0),
    count: calls.indexOf(values.calls),
    sampler: choose(samplers, "sampler"),
  });

  function plan() {
    const { sampler, count } = picked();
    const lines = curves && curves(values).lines;
    return sampler.steps[count].map((step) => ({
      ...step,
      level: lines ? lines[0].y[step.at] : 0,
      weight: lines ? lines[1].y[step.at] : 1,
    }));
  }

  async function sample() {
    const { network, component, noise, sampler } = picked();
    const wish = ++id;
    say("Fetching the network …");
    try {
      await load(network);
    } catch (error) {
      return say(error.message);
    }
    if (wish !== id) return;
    button.textContent = "Sample again with other noise";
    still.hidden = true;
    find("strip").hidden = false;
    [steps, path, following] = [plan(), [], true];
    scrub.max = steps.length;
    const array = (shape, data) => ({ shape, data: Float32Array.from(data) });
    const side = specification.sampling.side;
    const shape = [1, 4, side, side];
    worker.postMessage({
      id,
      network,
      steps,
      seed: values.seed,
      printed: sampler.printed,
      condition: array(shape, component.conditions[noise].channels),
      turn: array([1, 2, 2], component.conditions[noise].turn),
      truth: array(shape, component.truth),
      orders: array([1, 2], component.orders),
    });
    say("Sampling …");
  }

  function arrive(data) {
    path[data.step] = data;
    if (following && (!calm || data.step === steps.length)) show(data.step);
    if (data.step === steps.length) {
      const [x, y] = data.psnr;
      const [before] = path[0].psnr;
      say(
        `After ${steps.length} calls: PSNR ${x.toFixed(2)} dB in the x coil, which is shown (y itself has ` +
          `${before.toFixed(2)} dB), and ${y.toFixed(2)} dB in the y coil.`,
      );
    }
  }

  function show(step) {
    const state = path[step];
    if (!state) return;
    const { component, noise } = picked();
    scrub.value = step;
    scrub.nextElementSibling.textContent = step === 0 ? "start" : `call ${step}, at t = ${steps[step - 1].t}`;
    paint("condition", component.conditions[noise].seen, -1, 1);
    paint("truth", component.seen, -1, 1);
    paint("entered", state.entered, -1, 1);
    paint("x", state.x, -1, 1);
    paint("estimate", state.estimate, -1, 1);
    paint("error", state.error, 0, 0.25);
    draw(step);
  }

  function draw(step) {
    if (curves) {
      const mark = step > 0 ? steps[step - 1].t / specification.sampling.steps : null;
      drawCurves(find("curves"), curves(values), { mark });
    }
    if (gaussian) drawGaussian(step);
  }

  // Numbers that go the same way with their exact denoiser, under the density that they should have.
  function drawGaussian(step) {
    const { sampler, count } = picked();
    const states = gaussian.states[count];
    let numbers = portableNormal(40, values.seed, 1000);
    const z = portableNormal(40, values.seed, 1002);
    for (let k = 0; k < step; k++) {
      const { weights } = sampler.steps[count][k];
      const { gain, offset } = states[k];
      const fresh = sampler.printed ? z : portableNormal(40, values.seed, 1003 + k);
      numbers = numbers.map((x, i) => weights[0] * x + weights[1] * (gain * x + offset) + weights[2] * fresh[i]);
    }
    const { density } = states[step];
    const [low, width] = [gaussian.x[0], gaussian.x[1] - gaussian.x[0]];
    const height = (x) => density[Math.min(Math.max(Math.round((x - low) / width), 0), density.length - 1)];
    const points = Array.from(numbers, (x, i) => [x, ((i + 0.5) / 40) * height(x)]);
    const lines = [{ label: "density that x_t should have", y: density }];
    const labels = { xlabel: "a number x_t [1]", ylabel: "density [1]" };
    drawCurves(find("gaussian"), { x: gaussian.x, lines, ...labels }, { points });
  }

  for (const component of Object.values(components)) {
    component.truth = decodeHalf(component.truth);
    component.seen = component.truth; // the truth's own phase makes it real
    for (const condition of component.conditions) {
      const channels = (condition.channels = decodeHalf(condition.channels));
      const [[cosine, sine]] = [condition.turn];
      const pixels = channels.length / 4;
      condition.seen = channels.slice(0, pixels).map((real, i) => real * cosine - channels[pixels + i] * sine);
    }
  }
  for (const canvas of root.querySelectorAll("canvas")) canvas.width = canvas.height = specification.sampling.side;
  const bar = map.filter((_, i) => i % 16 === 0).map((colour) => `rgb(${colour})`);
  for (const scale of root.querySelectorAll(".scale")) scale.style.background = `linear-gradient(to right, ${bar})`;
  if (!window.Worker) say("This browser cannot sample in a page (it has no Worker).");
  button.hidden = !window.Worker;
  still.querySelector("figcaption").textContent = "What the network sampled when this page was built.";
  button.addEventListener("click", () => {
    if (id > 0) {
      seedInput.value = (parseFloat(seedInput.value) + 1) % (parseFloat(seedInput.max) + 1);
      seedInput.dispatchEvent(new Event("input"));
    } else sample();
  });
  scrub.addEventListener("input", () => {
    following = false;
    show(parseFloat(scrub.value));
  });
  for (const [role, way] of [["back", -1], ["forward", 1]])
    find(role).addEventListener("click", () => {
      scrub.value = parseFloat(scrub.value) + way;
      scrub.dispatchEvent(new Event("input"));
    });

  return (moved) => {
    values = moved;
    steps = plan();
    if (id > 0) sample();
    draw(0);
  };
}
