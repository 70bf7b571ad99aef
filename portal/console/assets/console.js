// Looks again every few seconds while the page is seen, and puts what has changed in its
// place. Everything works without this: reload the page.
"use strict";

(function () {
  const every = 10000;
  const parts = () => document.querySelectorAll("[data-live]");
  if (parts().length === 0) return;

  // Nobody's choice, half-typed text or open list is taken from under their hands.
  const busy = (part) => part.contains(document.activeElement) && document.activeElement !== part
    || part.querySelector("details[open]") !== null;

  let looking = false;
  async function look() {
    if (document.hidden || looking) return;
    looking = true;
    try {
      // The header says that nobody asked: it does not keep a sign-in alive.
      const answer = await fetch(location.href, { cache: "no-store", redirect: "error", headers: { "Holdline-Refresh": "1" } });
      if (answer.status === 401 || answer.status === 403) {
        location.reload();
        return;
      }
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const now = page.getElementById(part.id);
        if (now && !busy(part) && now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
      }
    } catch {
      // The server is away; the next look may find it.
    } finally {
      looking = false;
    }
  }
  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();

// A button says that it works, and is not pressed twice.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.defaultPrevented) return;
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return;
  }
  const words = [...button.childNodes];
  button.setAttribute("aria-disabled", "true");
  button.setAttribute("aria-busy", "true");
  setTimeout(() => { button.textContent = "One moment …"; }); // after the browser has read the form
  window.addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("aria-busy");
    button.replaceChildren(...words);
  }, { once: true });
});
