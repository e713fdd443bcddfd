// The controls of an explorer. `start`, defined by its last script, gets the explorer's element and specification, and
// returns what is called with the controls' values, by name, at the beginning and at every change.
function attach(specification) {
  const root = document.currentScript.parentElement;
  const controls = specification.controls.map((control) => root.querySelector(`[name="${control.name}"]`));
  const isNumber = (control) => control.type === "range";

  function values() {
    for (const control of controls.filter(isNumber))
      control.nextElementSibling.textContent = String(+parseFloat(control.value).toFixed(4));
    return Object.fromEntries(controls.map((c) => [c.name, isNumber(c) ? parseFloat(c.value) : c.value]));
  }

  const update = start(root, specification);
  for (const control of controls) control.addEventListener("input", () => update(values()));
  update(values());
  root.querySelector(".controls").hidden = root.querySelector(".moving").hidden = false;
  if (!root.querySelector("[data-keeps-still]")) root.querySelector(".still").hidden = true;
}

// How many steps a slider stands above its lowest position.
function position(slider, value) {
  return Math.round((value - slider.low) / slider.step);
}
