// The choice is kept in a cookie, so that the server can render the next page in it.
const YEAR_SECONDS = 365 * 24 * 60 * 60;
const root = document.documentElement;

function choose(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
  root.dataset.theme = theme;
  if (theme === "auto") {
    root.dispatchEvent(new Event("fairplace:theme"));
  } else {
    root.dataset.bsTheme = theme;
  }
  show();
}

function show() {
  for (const button of document.querySelectorAll("[data-choose-theme]")) {
    const chosen = button.dataset.chooseTheme === root.dataset.theme;
    button.setAttribute("aria-pressed", String(chosen));
  }
}

for (const group of document.querySelectorAll("[data-theme-switch]")) {
  group.hidden = false;
  group.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose-theme]");
    if (button) {
      choose(button.dataset.chooseTheme);
    }
  });
}
show();
