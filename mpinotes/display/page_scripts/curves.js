// Curves that are looked up in tables over the sliders they depend on, and drawn.
const dashes = ["", "8 5", "2 4", "8 4 2 4"];
const colours = ["#1f77b4", "#e07b00", "#2ca02c", "#c44"];

// From a table to a function of the controls' values, which returns a row of it.
function makeLookup(table, controls) {
  const words = decodeWords(table.table);
  const sliders = table.sliders.map((name) => controls.find((control) => control.name === name));
  const sides = sliders.map((slider) => position(slider, slider.high) + 1);
  const length = words.length / sides.reduce((product, side) => product * side, 1);
  return (values) => {
    const row = sliders.reduce((at, slider, i) => at * sides[i] + position(slider, values[slider.name]), 0);
    return Array.from(words.subarray(row * length, (row + 1) * length), (word) => (table.top * word) / 65535);
  };
}

// Draws curves {x, lines: [{label, y}], xlabel, ylabel} into an SVG; a vertical line at `mark`, points [[x, y], …].
function drawCurves(svg, curves, { mark = null, points = [] } = {}) {
  const box = { left: 60, right: 620, top: 34, bottom: 290 };
  const text = (x, y, anchor, content, extra = "") =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="14" fill="currentColor" ${extra}>${content}</text>`;
  const quarter = Math.max(1e-9, ...curves.lines.flatMap((line) => line.y)) / 4.001; // room for one that ends on a round number
  const power = 10 ** Math.floor(Math.log10(quarter));
  const top = 4 * power * [1, 2, 2.5, 5, 10].find((step) => step * power >= quarter);
  const [x0, x1] = [curves.x[0], curves.x[curves.x.length - 1]];
  const px = (x) => box.left + ((x - x0) / (x1 - x0)) * (box.right - box.left);
  const py = (y) => box.bottom - (y / top) * (box.bottom - box.top);
  let content = "";
  for (let i = 0; i <= 4; i++) {
    const [x, y] = [x0 + ((x1 - x0) * i) / 4, (top * i) / 4];
    content += `<path d="M${box.left} ${py(y)}H${box.right}M${px(x)} ${box.top}V${box.bottom}" stroke="currentColor" stroke-opacity=".2" fill="none"/>`;
    content += text(px(x), box.bottom + 18, "middle", x.toFixed(2)) + text(box.left - 6, py(y) + 5, "end", y.toFixed(2));
  }
  curves.lines.forEach(({ label, y }, i) => {
    const line = y.map((v, j) => `${j ? "L" : "M"}${px(curves.x[j]).toFixed(1)} ${py(v).toFixed(1)}`).join("");
    content += `<path d="${line}" stroke="${colours[i]}" stroke-width="2.5" stroke-dasharray="${dashes[i]}" fill="none"/>`;
    const left = box.left + (i * (box.right - box.left)) / curves.lines.length; // the legend, above the curves
    content += `<path d="M${left} 14h30" stroke="${colours[i]}" stroke-width="2.5" stroke-dasharray="${dashes[i]}"/>`;
    content += text(left + 36, 19, "start", label);
  });
  if (mark !== null) content += `<path d="M${px(mark)} ${box.top}V${box.bottom}" stroke="currentColor" stroke-width="2"/>`;
  for (const [x, y] of points)
    if (x >= x0 && x <= x1) content += `<circle cx="${px(x)}" cy="${py(y)}" r="4" fill="currentColor"/>`;
  content += text((box.left + box.right) / 2, 332, "middle", curves.xlabel);
  content += text(14, 150, "middle", curves.ylabel, 'transform="rotate(-90 14 150)"');
  svg.innerHTML = content;
}

// The curves of a specification as a function of the controls' values.
function makeCurves({ x, lines, xlabel, ylabel }, controls) {
  const lookups = lines.map((line) => makeLookup(line, controls));
  return (values) => ({ x, xlabel, ylabel, lines: lines.map(({ label }, i) => ({ label, y: lookups[i](values) })) });
}
