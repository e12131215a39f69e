/* The form that runs a report: the server looks over it while one writes, and foresees. */
(() => {
  "use strict";
  const PAUSE = 300;

  const write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const begin = () => {
    const form = document.querySelector("form[data-form]");
    if (!form) return;
    const touched = new Set();
    const said = form.querySelector("[data-said]");
    const boxes = [...form.querySelectorAll("[data-field]")];
    let timer = 0;
    let asked = null;

    const nameOf = (box) => box.querySelector("legend, label").textContent.trim();

    /* Of several values and the one above them, only what is given counts. */
    const counts = (one) => !one.disabled && (!one.closest("details.several") || one.value.trim());

    /* What is wrong stands beside its field; a field that nobody touched is left in peace. */
    const tell = (box, text) => {
      const place = box.querySelector("[data-problem]");
      if (place.textContent === text || (text && !touched.has(box))) return;
      write(place, text);
      const described = (one) => one.getAttribute("aria-describedby")?.includes(place.id);
      for (const one of [box, ...box.querySelectorAll("*")].filter(described)) {
        if (text && counts(one)) one.setAttribute("aria-invalid", "true");
        else one.removeAttribute("aria-invalid");
      }
      write(said, `${nameOf(box)}: ${text || "in order"}`);
    };

    const take = (told) => {
      for (const box of boxes) {
        tell(box, told.problems[box.dataset.field] || "");
        const picker = box.querySelector("[data-picks]");
        if (picker && !picker.disabled && picker !== document.activeElement) picker.value = told.days[box.dataset.field] || "";
      }
      for (const name of ["error", "runs", "commit"]) {
        const place = form.querySelector(`[data-${name}]`);
        if (told[name] && place.textContent !== told[name]) write(said, told[name]);
        write(place, told[name]);
      }
    };

    const entries = () => new URLSearchParams(new FormData(form));

    const ask = async () => {
      asked?.abort();
      const mine = asked = new AbortController();
      try {
        const answer = await fetch(form.dataset.check, { method: "POST", body: entries(), signal: mine.signal });
        if (!answer.ok) return; // what is wrong is told when the form is sent
        const told = await answer.json();
        if (!mine.signal.aborted) take(told);
      } catch { /* the server does not answer, or a later question was asked */ }
    };

    const soon = (event) => {
      const box = event.target.closest("[data-field]");
      if (box) touched.add(box);
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    for (const place of form.querySelectorAll("[data-problem]")) {
      if (place.textContent) touched.add(place.closest("[data-field]"));
    }
    if (!touched.size) ask(); // how many runs it makes as it is prefilled

    /* What would run is a part of the page that is answered. */
    let plainly = false;
    form.addEventListener("submit", async (event) => {
      const button = event.submitter;
      const place = document.getElementById("preview");
      if (button?.name !== "preview" || plainly || !place) return;
      event.preventDefault();
      write(said, "Looks what would run");
      button.setAttribute("aria-busy", "true");
      const body = entries();
      body.set("preview", "1");
      try {
        const answer = await fetch(form.action, { method: "POST", body });
        const news = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!answer.ok) throw new Error(String(answer.status));
        place.replaceChildren(...news.getElementById("preview").childNodes);
        write(said, place.querySelector("p").textContent);
        place.scrollIntoView({ block: "nearest" });
      } catch {
        plainly = true; // the whole page says what is wrong
        form.requestSubmit(button);
      } finally {
        button.removeAttribute("aria-busy");
      }
    });
  };

  document.addEventListener("DOMContentLoaded", begin);
})();
