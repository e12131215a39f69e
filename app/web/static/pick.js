/* Runs that are picked of a list: each button waits until as many are as it can do with. */
(() => {
  "use strict";
  const tell = () => {
    const picked = document.querySelectorAll("input[name=pick]:checked").length;
    for (const button of document.querySelectorAll("button[data-most]")) {
      button.disabled = picked < 1 || picked > Number(button.dataset.most);
    }
  };
  document.addEventListener("change", tell);
  window.addEventListener("pageshow", tell);  // a browser that goes back keeps what was picked
})();
