/* What libraries draw: each when a reader comes to it, all of it before the page is printed. */
(() => {
  const paper = (text) => {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    return note;
  };
  const data = (element) => JSON.parse(element.querySelector("script").textContent);
  const place = (element) => {
    const found = document.createElement("div");
    element.replaceChildren(found);
    return found;
  };
  let diagrams = 0;
  const DRAW = {
    plotly: async (element) => {
      const { data: traces, layout = {}, config = {}, frames = [] } = data(element);
      const settings = { responsive: true, displaylogo: false, ...config };
      await Plotly.newPlot(place(element), { data: traces, layout, config: settings, frames });
    },
    vega: async (element) => {
      const { spec, options } = data(element);
      await vegaEmbed(place(element), spec, { ...options, actions: false });
    },
    mermaid: async (element) => {
      const source = element.textContent;
      const settings = { startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true };
      mermaid.initialize(settings);
      const { svg } = await mermaid.render(`diagram-${++diagrams}`, source);
      place(element).innerHTML = svg;
    },
  };
  /* What cannot be drawn stays as it is, and the page says why. */
  const draw = (element) => {
    element.drawing ??= DRAW[element.dataset.draw](element).catch((error) => {
      element.append(paper(`This cannot be drawn: ${error.message ?? error}`));
    }).finally(() => { element.dataset.done = ""; element.style.minHeight = ""; });
    return element.drawing;
  };
  /* HTML of users may have such an attribute too; what it says is no library of ours. */
  const figures = () => [...document.querySelectorAll("[data-draw]")]
    .filter((element) => Object.hasOwn(DRAW, element.dataset.draw));
  const mathematics = () => {
    if (!globalThis.katex) return;
    const settings = { throwOnError: false, strict: "ignore", maxExpand: 1000, maxSize: 50 };
    for (const element of document.querySelectorAll(".math")) {
      const source = element.textContent;
      const displayMode = element.classList.contains("block");
      try {
        katex.render(source, element, { ...settings, displayMode });
        element.title = element.querySelector(".katex-error") ? source : "";
      } catch { element.textContent = source; }
    }
    const pairs = (list) => list.map(([left, right, display]) => ({ left, right, display }));
    const sure = [["$$", "$$", true], ["\\[", "\\]", true], ["\\(", "\\)", false]];
    for (const name of ["equation", "align", "alignat", "gather", "CD", "matrix", "pmatrix", "cases"]) {
      for (const star of ["", "*"]) {
        sure.push([`\\begin{${name}${star}}`, `\\end{${name}${star}}`, true]);
      }
    }
    for (const [kind, delimiters] of [["latex", [...sure, ["$", "$", false]]], ["tex", sure]]) {
      for (const element of document.querySelectorAll(`.${kind}`)) {
        try {
          renderMathInElement(element, { ...settings, delimiters: pairs(delimiters) });
        } catch { /* then it is read as it was written */ }
      }
    }
  };
  const begin = () => {
    mathematics();
    const watch = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        draw(target);
      }
    });
    for (const element of figures()) watch.observe(element);
  };
  /* Draws everything now; resolves when it is drawn. Who prints the page asks for it. */
  globalThis.drawAll = () => Promise.allSettled(figures().map(draw));
  addEventListener("beforeprint", () => { drawAll(); });
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
