/* The search box: "/" leads to it, what is found stands below it while one types. */
(() => {
  "use strict";
  const PAUSE = 150;

  const begin = () => {
    const form = document.querySelector("form[data-search]");
    if (!form) return;
    const box = form.querySelector("input");
    const found = form.querySelector("[data-found]");
    const said = form.querySelector("[role=status]");
    let timer = 0;
    let asked = null;

    const close = () => {
      clearTimeout(timer);
      asked?.abort();
      found.hidden = true;
    };

    const show = (html) => {
      if (!form.contains(document.activeElement)) return; // who has gone on wants no list
      found.innerHTML = html;
      found.hidden = false;
      const count = found.querySelectorAll("li").length;
      said.textContent = count === 1 ? "1 is found" : `${count || "nothing"}${count ? " are" : " is"} found`;
    };

    const ask = async () => {
      asked?.abort();
      const text = box.value.trim();
      if (!text) { close(); said.textContent = ""; return; }
      const mine = asked = new AbortController();
      const address = `${form.action}?${new URLSearchParams({ q: text, brief: "1" })}`;
      try {
        const answer = await fetch(address, { signal: mine.signal });
        const html = await answer.text();
        if (mine.signal.aborted) return;
        if (answer.ok) show(html); else close(); // Enter still leads to the page
      } catch (error) {
        if (error.name !== "AbortError") close();
      }
    };

    box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
    box.addEventListener("focus", () => { if (box.value.trim() && found.childElementCount) found.hidden = false; });
    form.addEventListener("submit", (event) => {
      close();
      if (!box.value.trim()) event.preventDefault();
    });

    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !found.hidden) {
        event.preventDefault(); // the text stays; a second Escape clears it
        box.focus();
        close();
        return;
      }
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const links = [...found.querySelectorAll("a")];
      if (found.hidden || !links.length) return;
      event.preventDefault();
      const at = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (at < 0 ? box : links[Math.min(at, links.length - 1)]).focus();
    });
    form.addEventListener("focusout", (event) => {
      if (!form.contains(event.relatedTarget)) close();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      box.focus();
      box.select();
    });
  };

  document.addEventListener("DOMContentLoaded", begin);
})();
