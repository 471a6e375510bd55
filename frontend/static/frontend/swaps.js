// After htmx exchanged a part of the page: keep the focus somewhere sensible and say what changed.
const region = document.querySelector("[data-announcements]");

function announce(text) {
  region.textContent = "";
  window.setTimeout(() => {
    region.textContent = text;
  }, 50);
}

document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt;
  const summary = part.querySelector?.("[data-error-summary]");
  if (summary) {
    summary.focus();
    return;
  }
  if (document.activeElement === document.body) {
    const heading = part.querySelector?.("h1, h2, caption");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
  }
  const count = part.querySelector?.("[data-announce]");
  if (count) {
    announce(count.textContent.trim());
  }
});

document.addEventListener("htmx:responseError", () => {
  announce(region.dataset.failed);
});
document.addEventListener("htmx:sendError", () => {
  announce(region.dataset.failed);
});
