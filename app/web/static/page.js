/* What pages do with scripts: times of the reader's zone, copying, the height of reports. */
(() => {
  "use strict";
  const THIN = "\u202f";
  const LOWEST = 200;
  const HIGHEST = 30000;
  const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [1209600, 86400, "days"]];
  const local = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric",
    hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });

  const ago = (at) => {
    const seconds = (Date.now() - at) / 1000;
    if (Math.abs(seconds) < 5) return "just now";
    for (const [below, unit, name] of STEPS) {
      if (Math.abs(seconds) < below) {
        const number = Math.floor(Math.abs(seconds) / unit);
        const word = name === "days" && number === 1 ? "day" : name;
        return seconds < 0 ? `in ${number}${THIN}${word}` : `${number}${THIN}${word} ago`;
      }
    }
    return null;
  };

  const write = (element, text) => {
    if (text !== null && element.textContent !== text) element.textContent = text;
  };

  const tellTimes = () => {
    for (const element of document.querySelectorAll("time[datetime]")) {
      const at = Date.parse(element.dateTime);
      if (Number.isNaN(at)) continue;
      const exact = local.format(at);
      if ("ago" in element.dataset) {
        write(element, ago(at));
        if (element.title !== exact) element.title = exact;
      } else {
        write(element, exact);
      }
    }
    for (const element of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, (Date.now() - Date.parse(element.dataset.since)) / 1000);
      write(element, `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}${THIN}s`);
    }
  };

  const showButtons = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) {
      button.hidden = false;
    }
  };

  /* What scrolls sideways can be reached, and scrolled, by keys. */
  const reachScrolling = () => {
    for (const element of document.querySelectorAll("pre")) {
      if (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight) {
        element.tabIndex = 0;
      } else {
        element.removeAttribute("tabindex");
      }
    }
  };

  const refresh = () => { tellTimes(); showButtons(); reachScrolling(); };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) {
      for (const menu of document.querySelectorAll("details[data-menu][open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
      return;
    }
    await navigator.clipboard.writeText(button.dataset.copy);
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1200);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });

  /* A report may say how tall it is and which of its places it was asked for, and nothing
     else; only the frame shown here is heard. It is told the colours, and nothing else. */
  const frame = () => document.querySelector("iframe[data-report]");

  window.addEventListener("message", (event) => {
    const shown = frame();
    if (!shown || event.source !== shown.contentWindow) return;
    const data = event.data;
    if (typeof data !== "object" || data === null) return;
    const value = Number(data.value);
    if (!Number.isFinite(value)) return;
    if (data.provenote === "height") {
      shown.style.height = `${Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(value)))}px`;
    } else if (data.provenote === "scroll") {
      const within = Math.min(shown.clientHeight, Math.max(0, value));
      window.scrollTo({ top: shown.getBoundingClientRect().top + window.scrollY + within });
    }
  });

  const tellTheme = () => {
    const value = document.documentElement.dataset.theme || "system";
    frame()?.contentWindow.postMessage({ provenote: "theme", value }, "*");
  };
  document.addEventListener("provenote:theme", tellTheme);
  document.addEventListener("DOMContentLoaded", () => {
    frame()?.addEventListener("load", tellTheme);
    tellTheme();
  });

  document.addEventListener("htmx:after:swap", refresh);
  window.addEventListener("resize", reachScrolling);
  document.addEventListener("DOMContentLoaded", () => {
    refresh();
    setInterval(tellTimes, document.querySelector("[data-since]") ? 250 : 15000);
  });
})();
