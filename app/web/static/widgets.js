/* What makes fields of a form handier: sliders, days to pick, rows to add and remove. */
(() => {
  "use strict";

  const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

  const slide = (slider) => {
    const number = document.getElementById(slider.dataset.slides);
    slider.hidden = false;
    slider.addEventListener("input", () => { number.value = slider.value; });
    number.addEventListener("input", () => { slider.value = number.value; });
  };

  const pick = (picker) => {
    const text = document.getElementById(picker.dataset.picks);
    picker.hidden = false;
    picker.addEventListener("input", () => { if (picker.value) text.value = picker.value; });
  };

  /* Rows stand for the lines of a text, which is what is sent. */
  const rowsOf = (area) => {
    if (/^\s*[[{]/.test(area.value)) return; // JSON, as lines could not hold it
    const isTable = area.dataset.lines === "table";
    const label = document.querySelector(`label[for="${area.id}"]`).textContent.trim();
    const box = document.createElement("fieldset");
    const list = document.createElement("div");
    box.className = "lines";
    box.setAttribute("aria-label", label);
    box.setAttribute("aria-describedby", area.getAttribute("aria-describedby"));

    const save = () => {
      const lines = [...list.children].map((row) => {
        const texts = [...row.querySelectorAll("input")].map((one) => one.value.trim());
        return isTable ? (texts.some(Boolean) ? texts.join(" = ") : "") : texts[0];
      });
      area.value = lines.filter(Boolean).join("\n");
      changed(area);
    };

    const name = () => {
      [...list.children].forEach((row, index) => {
        const inputs = row.querySelectorAll("input");
        const words = isTable ? ["name", "value"] : ["item"];
        inputs.forEach((one, at) => one.setAttribute("aria-label", `${label}: ${words[at]} ${index + 1}`));
        row.querySelector("button").setAttribute("aria-label", `Remove ${words[0]} ${index + 1}`);
      });
    };

    const addRow = (line, after) => {
      const row = document.createElement("div");
      const cut = isTable ? line.split(/=(.*)/s).slice(0, 2) : [line];
      for (let at = 0; at < (isTable ? 2 : 1); at += 1) {
        const input = document.createElement("input");
        input.value = (cut[at] || "").trim();
        row.append(input);
      }
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "plain";
      remove.textContent = "×";
      remove.addEventListener("click", () => {
        const next = row.nextElementSibling || row.previousElementSibling;
        row.remove();
        (next?.querySelector("input") || add).focus();
        name();
        save();
      });
      row.append(remove);
      if (after) after.after(row); else list.append(row);
      return row;
    };

    list.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault(); // it begins another row, and sends nothing
      addRow("", event.target.parentElement).querySelector("input").focus();
      name();
    });
    list.addEventListener("paste", (event) => {
      const lines = event.clipboardData.getData("text").split(/\r?\n/).filter((one) => one.trim());
      if (lines.length < 2) return;
      event.preventDefault();
      let row = event.target.closest(".lines > div > div");
      for (const line of lines) row = addRow(line, row);
      name();
      save();
    });
    list.addEventListener("input", (event) => { event.stopPropagation(); save(); });

    const add = document.createElement("button");
    add.type = "button";
    add.className = "plain";
    add.textContent = "Add a row";
    add.addEventListener("click", () => { addRow("").querySelector("input").focus(); name(); });

    area.value.split("\n").filter((line) => line.trim()).forEach((line) => addRow(line));
    name();
    box.append(list, add);
    area.after(box);
    area.hidden = true;
  };

  /* With several values, the one above them does not count. */
  const several = (details) => {
    const box = details.closest("[data-field]");
    const own = [...box.querySelectorAll("input:not([type=hidden]), select, textarea")];
    const follow = () => {
      const given = [...details.querySelectorAll("textarea, input:checked")];
      const used = given.some((one) => one.value.trim());
      for (const one of own) if (!details.contains(one)) one.disabled = used;
    };
    details.addEventListener("input", follow);
    follow();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-slides]").forEach(slide);
    document.querySelectorAll("[data-picks]").forEach(pick);
    document.querySelectorAll("textarea[data-lines]").forEach(rowsOf);
    document.querySelectorAll("details.several").forEach(several);
  });
})();
