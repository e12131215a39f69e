(() => {
  const root = document.documentElement;
  const blocks = document.querySelectorAll("details.code");
  const button = document.getElementById("code-switch");
  if (button && blocks.length) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      blocks.forEach((block) => { block.open = open; });
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Hide all code" : "Show all code";
    });
  }
  document.querySelectorAll("button.copy").forEach((copy) => {
    copy.hidden = false;
    copy.addEventListener("click", () => {
      const selection = getSelection();
      selection.selectAllChildren(copy.previousElementSibling);
      // The clipboard interface is closed to a sandboxed frame; this is not.
      const done = document.execCommand("copy");
      copy.textContent = done ? "Copied" : "Selected";
      if (done) selection.removeAllRanges();
    });
  });
  if (parent === window) return;
  root.classList.add("framed");
  const tell = (provenote, value) => parent.postMessage({ provenote, value }, "*");
  const height = () => tell("height", Math.ceil(document.body.getBoundingClientRect().height));
  new ResizeObserver(height).observe(document.body);
  addEventListener("load", height);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#"]');
    const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) tell("scroll", Math.round(target.getBoundingClientRect().top + scrollY));
  });
  addEventListener("message", (event) => {
    const said = event.source === parent && event.data;
    if (!said || said.provenote !== "theme") return;
    root.style.colorScheme = ["light", "dark"].includes(said.value) ? said.value : "";
    height();  // what was told before may have come before anybody listened
  });
})();
