(function (spec) {
  // Runs inside the explorer's own <script>: shows the frame, or draws the curves, of the sliders' values.
  const root = document.currentScript.parentElement;
  const inputs = [...root.querySelectorAll("input")];
  const outputs = [...root.querySelectorAll("output")];
  const frames = [...root.querySelectorAll("img.frame")];
  const svg = root.querySelector("svg.curves");
  const names = spec.sliders.map((s) => s.name);
  const box = { left: 60, right: 620, top: 34, bottom: 290 };
  const dashes = ["", "8 5", "2 4", "8 4 2 4"];
  const colours = ["#1f77b4", "#e07b00", "#2ca02c", "#c44"];

  function text(x, y, anchor, content, extra = "") {
    return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="14" fill="currentColor" ${extra}>${content}</text>`;
  }

  function compile(formula) {
    return new Function("x", ...names, "return " + formula);
  }

  function drawCurves(values) {
    const curves = spec.curves.map((c) => {
      const f = compile(c.formula);
      return spec.x.map((x) => f(x, ...values));
    });
    const numbers = spec.readouts.map((r) => `${r.label}: ${compile(r.formula)(0, ...values).toPrecision(3)}`);
    root.querySelector(".readouts").textContent = numbers.join(", ");
    const quarter = Math.max(1e-9, ...curves.flat()) / 4.001; // a curve that ends on a round number fits
    const power = 10 ** Math.floor(Math.log10(quarter));
    const top = 4 * power * [1, 2, 2.5, 5, 10].find((step) => step * power >= quarter);
    const [x0, x1] = [spec.x[0], spec.x[spec.x.length - 1]];
    const px = (x) => box.left + ((x - x0) / (x1 - x0)) * (box.right - box.left);
    const py = (y) => box.bottom - (y / top) * (box.bottom - box.top);
    let content = "";
    for (let i = 0; i <= 4; i++) {
      const [x, y] = [x0 + ((x1 - x0) * i) / 4, (top * i) / 4];
      content += `<path d="M${box.left} ${py(y)}H${box.right}M${px(x)} ${box.top}V${box.bottom}" stroke="currentColor" stroke-opacity=".2" fill="none"/>`;
      content += text(px(x), box.bottom + 18, "middle", x.toFixed(2)) + text(box.left - 6, py(y) + 5, "end", y.toFixed(2));
    }
    curves.forEach((y, i) => {
      const line = y.map((v, j) => `${j ? "L" : "M"}${px(spec.x[j]).toFixed(1)} ${py(v).toFixed(1)}`).join("");
      content += `<path d="${line}" stroke="${colours[i]}" stroke-width="2.5" stroke-dasharray="${dashes[i]}" fill="none"/>`;
      const left = box.left + (i * (box.right - box.left)) / curves.length; // the legend, above the curves
      content += `<path d="M${left} 14h30" stroke="${colours[i]}" stroke-width="2.5" stroke-dasharray="${dashes[i]}"/>`;
      content += text(left + 36, 19, "start", spec.curves[i].label);
    });
    content += text((box.left + box.right) / 2, 332, "middle", spec.xlabel);
    content += text(14, 150, "middle", spec.ylabel, 'transform="rotate(-90 14 150)"');
    svg.innerHTML = content;
  }

  function update() {
    const values = inputs.map((i) => parseFloat(i.value));
    values.forEach((v, i) => (outputs[i].textContent = String(+v.toFixed(4))));
    if (svg) drawCurves(values);
    const s = spec.sliders[0];
    const shown = Math.round((values[0] - s.low) / s.step);
    frames.forEach((frame, i) => (frame.hidden = i !== shown));
  }

  inputs.forEach((input) => input.addEventListener("input", update));
  update();
})
