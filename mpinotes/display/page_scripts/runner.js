// Runs programs of mpinotes.display.program: steps over named arrays, {shape, data}. This file works in a page and in
// a worker. What it does not know, program.py refuses when the book is built.
function makeRunner() {
  const count = (shape) => shape.reduce((product, side) => product * side, 1);

  // Where the result's elements lie in an operand of the same or a smaller shape (numpy's broadcasting).
  function broadcast(operand, shape) {
    if (typeof operand === "number") return { data: [operand], at: () => 0 };
    const { data, shape: own } = operand;
    if (own.length === shape.length && own.every((side, i) => side === shape[i])) return { data, at: (i) => i };
    if (data.length === 1) return { data, at: () => 0 };
    const strides = shape.map(() => 0);
    for (let axis = own.length - 1, stride = 1; axis >= 0; stride *= own[axis--])
      if (own[axis] > 1) strides[axis + shape.length - own.length] = stride;
    return {
      data,
      at(index) {
        let place = 0;
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          place += (index % shape[axis]) * strides[axis];
          index = Math.floor(index / shape[axis]);
        }
        return place;
      },
    };
  }

  const each = (f) => (step, out, x) => x.data.forEach((value, i) => (out[i] = f(value)));

  const pairwise = (f) => (step, out, first, second) => {
    const [a, b] = [broadcast(first, step.shape), broadcast(second, step.shape)];
    for (let i = 0; i < out.length; i++) out[i] = f(a.data[a.at(i)], b.data[b.at(i)]);
  };

  // Out (rows, n) += weights (rows, terms) times columns (terms, n), four terms at a time.
  function multiplyInto(out, weights, columns, rows, terms, n) {
    for (let row = 0; row < rows; row++) {
      const target = out.subarray(row * n, (row + 1) * n);
      let k = 0;
      for (; k + 4 <= terms; k += 4) {
        const at = row * terms + k;
        const [w0, w1, w2, w3] = [weights[at], weights[at + 1], weights[at + 2], weights[at + 3]];
        const [i0, i1, i2, i3] = [k * n, (k + 1) * n, (k + 2) * n, (k + 3) * n];
        for (let i = 0; i < n; i++)
          target[i] += w0 * columns[i0 + i] + w1 * columns[i1 + i] + w2 * columns[i2 + i] + w3 * columns[i3 + i];
      }
      for (; k < terms; k++) {
        const w = weights[row * terms + k];
        for (let i = 0; i < n; i++) target[i] += w * columns[k * n + i];
      }
    }
  }

  const operations = {
    convolve(step, out, x, weight, bias) {
      const [, channels, height, width] = x.shape;
      const [, filters, rows, columns] = step.shape;
      const [kernel, n] = [weight.shape[2], rows * columns];
      const unfolded = new Float32Array(channels * kernel * kernel * n);
      for (let c = 0, at = 0; c < channels; c++)
        for (let dy = 0; dy < kernel; dy++)
          for (let dx = 0; dx < kernel; dx++)
            for (let row = 0; row < rows; row++) {
              const y = row * step.stride + dy - step.padding;
              for (let column = 0; column < columns; column++, at++) {
                const left = column * step.stride + dx - step.padding;
                if (y >= 0 && y < height && left >= 0 && left < width)
                  unfolded[at] = x.data[(c * height + y) * width + left];
              }
            }
      for (let f = 0; f < filters; f++) out.fill(bias.data[f], f * n, (f + 1) * n);
      multiplyInto(out, weight.data, unfolded, filters, channels * kernel * kernel, n);
    },

    normalise(step, out, x, weight, bias) {
      const [, channels] = step.shape;
      const size = out.length / step.groups;
      const pixels = out.length / channels;
      for (let group = 0; group < step.groups; group++) {
        const part = x.data.subarray(group * size, (group + 1) * size);
        const mean = part.reduce((sum, value) => sum + value, 0) / size;
        const variance = part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
        const scale = 1 / Math.sqrt(variance + step.epsilon);
        for (let i = 0; i < size; i++) {
          const channel = Math.floor((group * size + i) / pixels);
          out[group * size + i] = (part[i] - mean) * scale * weight.data[channel] + bias.data[channel];
        }
      }
    },

    linear(step, out, x, weight, bias) {
      out.set(bias.data);
      multiplyInto(out, weight.data, x.data, weight.shape[0], weight.shape[1], 1);
    },

    upsample(step, out, x) {
      const [, , , width] = step.shape;
      for (let i = 0; i < out.length; i++) {
        const [row, column] = [Math.floor(i / width), i % width];
        out[i] = x.data[((row >> 1) * width) / 2 + (column >> 1)];
      }
    },

    silu: each((value) => value / (1 + Math.exp(-value))),
    sin: each(Math.sin),
    cos: each(Math.cos),
    sqrt: each(Math.sqrt),
    log10: each(Math.log10),
    add: pairwise((a, b) => a + b),
    subtract: pairwise((a, b) => a - b),
    multiply: pairwise((a, b) => a * b),
    divide: pairwise((a, b) => a / b),
    clamp: (step, out, x, low, high) => x.data.forEach((value, i) => (out[i] = Math.min(Math.max(value, low), high))),

    mean(step, out, x) {
      for (let i = 0; i < out.length; i++)
        out[i] = x.data.subarray(i * step.size, (i + 1) * step.size).reduce((sum, value) => sum + value, 0) / step.size;
    },

    concatenate(step, out, ...parts) {
      const inner = count(step.shape.slice(step.axis + 1));
      const row = step.shape[step.axis] * inner;
      let start = 0;
      for (const part of parts) {
        const piece = part.shape[step.axis] * inner;
        for (let i = 0; i * row < out.length; i++)
          out.set(part.data.subarray(i * piece, (i + 1) * piece), i * row + start);
        start += piece;
      }
    },

    slice(step, out, x) {
      const inner = count(step.shape.slice(step.axis + 1));
      const [row, piece] = [x.shape[step.axis] * inner, step.shape[step.axis] * inner];
      for (let i = 0; i * piece < out.length; i++)
        out.set(x.data.subarray(i * row + step.start * inner, i * row + step.stop * inner), i * piece);
    },

    permute(step, out, x) {
      const strides = x.shape.map((_, axis) => count(x.shape.slice(axis + 1)));
      const place = step.shape.map(() => 0);
      for (let i = 0; i < out.length; i++) {
        out[i] = x.data[place.reduce((sum, value, axis) => sum + value * strides[step.order[axis]], 0)];
        for (let axis = place.length - 1; axis >= 0 && ++place[axis] === step.shape[axis]; axis--) place[axis] = 0;
      }
    },

    reshape: (step, out, x) => out.set(x.data),
  };

  // Arrays by name in, arrays of the program's outputs out.
  return function run(program, inputs) {
    const arrays = { ...program.weights, ...inputs };
    for (const step of program.steps) {
      const out = new Float32Array(count(step.shape));
      operations[step.op](step, out, ...step.from.map((name) => (typeof name === "number" ? name : arrays[name])));
      arrays[step.to] = { shape: step.shape, data: out };
    }
    return program.outputs.map((name) => arrays[name]);
  };
}
