// Draws every figure[data-chart] with Plotly, in the page's colours. Loaded only where one is.
const OPTIONS = {
  displaylogo: false,
  showSendToCloud: false,
  // "$500–$1,000" is no formula.
  typesetMath: false,
  responsive: true,
  displayModeBar: "hover",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d",
    "autoScale2d", "resetScale2d"],
};

let loading;

function plotly(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  return loading;
}

function pageColours() {
  const style = getComputedStyle(document.body);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    text: token("--fp-text-soft"),
    grid: token("--fp-line"),
    surface: token("--fp-surface"),
    strong: token("--fp-text"),
    family: style.fontFamily,
  };
}

function dressed(layout) {
  const colours = pageColours();
  const axis = {
    gridcolor: colours.grid,
    linecolor: colours.grid,
    zerolinecolor: colours.grid,
    tickfont: { color: colours.text },
  };
  return {
    ...layout,
    font: { family: colours.family, size: 12, color: colours.text },
    xaxis: { ...layout.xaxis, ...axis },
    yaxis: { ...layout.yaxis, ...axis },
    hoverlabel: {
      ...layout.hoverlabel,
      bgcolor: colours.surface,
      bordercolor: colours.grid,
      font: { family: colours.family, size: 12, color: colours.strong },
    },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.text, activecolor: colours.strong },
  };
}

async function draw(figure) {
  const { data, layout } = JSON.parse(figure.dataset.figure);
  const Plotly = await plotly(figure.dataset.plotly);
  const place = figure.querySelector("[data-drawing]");
  // Shown before it is drawn: a hidden place has no width to draw for.
  place.hidden = false;
  // When the window is resized Plotly asks its place how high it is.
  place.style.height = `${layout.height}px`;
  await Plotly.react(place, data, dressed(layout), OPTIONS);
}

export function drawAll() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (!figure.dataset.drawn) {
      figure.dataset.drawn = "yes";
      draw(figure).catch(() => {
        figure.querySelector("details").open = true;
      });
    }
  }
}

new MutationObserver(() => {
  for (const figure of document.querySelectorAll("[data-drawn]")) {
    draw(figure);
  }
}).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
