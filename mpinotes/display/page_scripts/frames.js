// One slider, one picture for each of its positions; a picture follows the mouse or the finger sideways.
function start(root, specification) {
  const [slider] = specification.controls;
  const frames = [...root.querySelectorAll("img.frame")];
  const input = root.querySelector("input");
  const moving = root.querySelector(".moving");
  let grip = null;

  moving.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX, from: position(slider, input.value) };
    moving.setPointerCapture(event.pointerId);
  });
  moving.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const steps = grip.from + Math.round(((event.clientX - grip.x) / moving.clientWidth) * 2 * frames.length);
    const last = frames.length - 1;
    const to = specification.around
      ? ((steps % frames.length) + frames.length) % frames.length
      : Math.min(Math.max(steps, 0), last);
    input.value = slider.low + to * slider.step;
    input.dispatchEvent(new Event("input"));
  });
  for (const end of ["pointerup", "pointercancel"]) moving.addEventListener(end, () => (grip = null));

  return (values) => frames.forEach((frame, i) => (frame.hidden = i !== position(slider, values[slider.name])));
}
