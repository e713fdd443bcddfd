// Samples beside the page, so that its sliders keep moving. A new wish ends the walk of the one before.
const run = makeRunner();
const networks = {};
let wish = 0;

function unpack(file) {
  let [low, high] = [1, 0]; // Adler-32 of the text: a damaged file shall not sample nonsense
  for (let i = 0; i < file.halves.length; i++) {
    low = (low + file.halves.charCodeAt(i)) % 65521;
    high = (high + low) % 65521;
  }
  if (high * 65536 + low !== file.sum) throw new Error("damaged");
  const numbers = decodeHalf(file.halves);
  const array = ([from, shape]) => ({ shape, data: numbers.subarray(from, from + shape.reduce((a, b) => a * b, 1)) });
  const shared = Object.fromEntries(Object.entries(file.index).map(([name, place]) => [name, array(place)]));
  const programs = Object.entries(file.programs).map(([name, program]) => {
    const constants = Object.entries(program.constants);
    const own = constants.map(([key, { shape, data }]) => [key, { shape, data: Float32Array.from(data) }]);
    return [name, { ...program, weights: { ...shared, ...Object.fromEntries(own) } }];
  });
  return Object.fromEntries(programs);
}

function call(program, inputs) {
  return run(program, Object.fromEntries(program.inputs.map((name, i) => [name, inputs[i]])));
}

const number = (value) => ({ shape: [1], data: Float32Array.of(value) });

async function sample({ id, network, steps, condition, truth, turn, orders, seed, printed }) {
  const { shape } = condition;
  const draw = (stream) => ({ shape, data: portableNormal(condition.data.length, seed, stream) });
  const [start, noise, z] = [draw(0), draw(1), draw(2)];
  const { estimate, compare } = networks[network];
  const [startSeen] = call(compare, [start, turn, truth]);
  const psnrBefore = call(compare, [condition, turn, truth])[3];
  postMessage({ id, step: 0, x: startSeen.data, psnr: psnrBefore.data });
  let x = start;
  for (let k = 0; k < steps.length; k++) {
    const { t, weights, weight, level } = steps[k];
    const [x0, entered] = call(estimate, [x, number(t), condition, noise, number(weight), number(level), orders]);
    const fresh = printed ? z : draw(3 + k);
    const next = x.data.map((value, i) => weights[0] * value + weights[1] * x0.data[i] + weights[2] * fresh.data[i]);
    x = { shape, data: next };
    const [seen] = call(compare, [x, turn, truth]);
    const [, estimated, error, psnr] = call(compare, [x0, turn, truth]);
    const [enteredSeen] = call(compare, [entered, turn, truth]);
    const pictures = { x: seen.data, estimate: estimated.data, error: error.data, entered: enteredSeen.data };
    await new Promise((resolve) => setTimeout(resolve)); // a newer wish may have come
    if (id !== wish) return;
    postMessage({ id, step: k + 1, ...pictures, psnr: psnr.data });
  }
}

onmessage = async ({ data }) => {
  if (data.file) {
    try {
      networks[data.name] = unpack(data.file);
      postMessage({ loaded: data.name });
    } catch (error) {
      postMessage({ failed: data.name });
    }
  } else {
    wish = data.id;
    await sample(data);
  }
};
