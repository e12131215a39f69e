/* Runs that are picked of a list: each button waits until as many are as it can do with. */
(() => {
  "use strict";
  const tell = () => {
    const picked = document.querySelectorAll("input[name=pick]:checked").length;
    for (const button of document.querySelectorAll("button[data-most]")) {
      const most = Number(button.dataset.most);
      button.dataset.label ??= button.textContent;
      button.disabled = picked < 1 || picked > most;
      button.textContent = picked > most ? `${button.dataset.label}: ${most} at most` : button.dataset.label;
    }
  };
  document.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);  // a browser that goes back keeps what was picked
})();
