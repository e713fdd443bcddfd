// Figures scroll sideways on a phone (narrow.css): the keyboard must reach them.
const narrow = matchMedia("(max-width: 600px)");

function reachFigures() {
  for (const output of document.querySelectorAll(".cell_output:has(img)")) {
    if (narrow.matches) {
      output.tabIndex = 0;
      output.setAttribute("role", "group");
      output.setAttribute("aria-label", "figure, scrolls sideways");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) output.removeAttribute(name);
    }
  }
}

narrow.addEventListener("change", reachFigures);
document.addEventListener("DOMContentLoaded", reachFigures);
