// Curves and numbers under sliders.
function start(root, specification) {
  const curves = makeCurves(specification.curves, specification.controls);
  const numbers = specification.readouts.map((readout) => makeLookup(readout, specification.controls));
  return (values) => {
    drawCurves(root.querySelector('[data-role="curves"]'), curves(values));
    root.querySelector(".readouts").textContent = specification.readouts
      .map(({ label }, i) => `${label}: ${numbers[i](values)[0].toPrecision(3)}`)
      .join(", ");
  };
}
