// Everything here improves pages that work without it.
import "./forms.js";
import "./menus.js";
import "./swaps.js";
import "./theme_switch.js";

function drawCharts() {
  if (document.querySelector("[data-chart]")) {
    import("./charts.js").then((charts) => charts.drawAll());
  }
}

drawCharts();
document.addEventListener("htmx:afterSettle", drawCharts);
