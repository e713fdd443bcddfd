// Formulas that are wider than their place become smaller; what is still too wide then scrolls, and fades out
// (formulas.css) on the side where it goes on. A comma after a formula stays on its line.
const SMALLEST = 0.65;

function fitFormula(formula) {
  formula.dataset.size ??= parseFloat(formula.style.fontSize) || 100;
  formula.style.fontSize = `${formula.dataset.size}%`;
  const share = formula.clientWidth / formula.scrollWidth;
  if (share < 1) formula.style.fontSize = `${Math.max(0.99 * share, SMALLEST) * formula.dataset.size}%`;
}

function markEnd(box) {
  box.classList.toggle("goes-on", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
}

function keepCommas() {
  for (const formula of document.querySelectorAll("article span.math")) {
    const mark = formula.nextSibling?.nodeType === Node.TEXT_NODE && formula.nextSibling.data.match(/^[,.;:?!)\]]+/);
    if (!mark) continue;
    formula.nextSibling.splitText(mark[0].length);
    const together = document.createElement("span");
    together.style.whiteSpace = "nowrap";
    formula.before(together);
    together.append(formula, together.nextSibling);
  }
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  keepCommas();
  const formulas = [...document.querySelectorAll("mjx-container[display='true']")];
  const boxes = [...formulas, ...document.querySelectorAll(".cell_output .text_html:has(table), .pst-scrollable-table-container")];
  // Also called when a folded part is opened.
  const observer = new ResizeObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches("mjx-container")) fitFormula(target);
      markEnd(target);
    }
  });
  for (const box of boxes) {
    observer.observe(box);
    box.addEventListener("scroll", () => markEnd(box), { passive: true });
  }
});
