/* The chosen colours, set before the first paint; and the switch. */
(() => {
  "use strict";
  const KEY = "provenote.theme";
  const ORDER = ["system", "light", "dark"];
  const NAMES = { system: "as the system", light: "light", dark: "dark" };
  const root = document.documentElement;

  const stored = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const keep = (theme) => {
    try { localStorage.setItem(KEY, theme); } catch { /* private browsing keeps nothing */ }
  };
  const apply = (theme) => {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
  };

  let theme = ORDER.includes(stored()) ? stored() : "system";
  apply(theme);
  root.dataset.scripts = "";

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    const show = () => {
      const text = `Colours: ${NAMES[theme]}`;
      button.title = text;
      button.setAttribute("aria-label", text);
      button.dataset.now = theme;
    };
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
      apply(theme);
      keep(theme);
      show();
      document.dispatchEvent(new Event("provenote:theme"));
    });
  });
})();
