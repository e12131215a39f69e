/* Two figures: side by side, one over the other with a slider, or what differs. */
(() => {
  "use strict";

  const begin = (pictures) => {
    const modes = pictures.querySelector(".modes");
    const slide = pictures.querySelector(".slide");
    const range = slide.querySelector("input");
    const after = pictures.querySelector("img.after");
    modes.hidden = false;

    const show = () => {
      const mode = pictures.dataset.mode;
      slide.hidden = mode !== "overlay";
      after.style.clipPath = mode === "overlay" ? `inset(0 ${100 - range.value}% 0 0)` : "";
      for (const button of modes.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
      }
    };
    modes.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-mode]");
      if (!button) return;
      pictures.dataset.mode = button.dataset.mode;
      show();
    });
    range.addEventListener("input", show);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const pictures of document.querySelectorAll("[data-pictures]")) begin(pictures);
  });
})();
