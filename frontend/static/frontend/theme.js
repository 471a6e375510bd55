// Runs before the first paint: a page in "auto" takes the operating system's theme.
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function followSystem() {
  if (root.dataset.theme === "auto") {
    root.dataset.bsTheme = dark.matches ? "dark" : "light";
  }
}

followSystem();
dark.addEventListener("change", followSystem);
root.addEventListener("fairplace:theme", followSystem);
