/* Trends as plots over the SVG that the page came with: hover tells, a click opens the run. */
(() => {
  "use strict";
  const HEIGHT = 190;
  // Six colours, and twelve lines: a colour that comes again is dashed in another way.
  const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [4, 2], [1, 2], [9, 4], [], [], [], [], []];
  const STROKES = DASHES.map((dash) => (dash.length ? (dash[0] < 3 ? "dotted" : "dashed") : "solid"));
  const MINUS = "\u2212";
  const plots = [];

  const colour = (name) => {
    const probe = document.createElement("span");
    probe.className = name;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const figures = (value) => {
    if (value === null || value === undefined) return "";
    const whole = Number.isInteger(value);
    return value.toLocaleString("en", { maximumSignificantDigits: whole ? 15 : 4 })
      .replace("-", MINUS);
  };

  const band = (plot, data) => {
    if (!data.band) return;
    const [low, high] = data.band.map((value) => plot.valToPos(value, "y", true));
    const { left, width } = plot.bbox;
    plot.ctx.save();
    plot.ctx.fillStyle = colour("ink-band");
    plot.ctx.fillRect(left, high, width, Math.max(low - high, 1));
    plot.ctx.restore();
  };

  const ring = (plot, data) => {
    const context = plot.ctx;
    context.save();
    context.strokeStyle = colour("ink-failed");
    context.lineWidth = 2 * devicePixelRatio;
    data.series.forEach((series, index) => {
      if (!plot.series[index + 1].show) return;
      for (const at of series.missed) {
        if (series.values[at] === null) continue;
        const x = plot.valToPos(at, "x", true);
        const y = plot.valToPos(series.values[at], "y", true);
        context.beginPath();
        context.arc(x, y, 6 * devicePixelRatio, 0, 2 * Math.PI);
        context.stroke();
      }
    });
    context.restore();
  };

  const nearest = (plot, data) => {
    const at = plot.cursor.idx;
    if (at === null || at === undefined) return null;
    let best = null;
    data.series.forEach((series) => {
      if (series.values[at] === null || !series.runs[at]) return;
      const away = Math.abs(plot.valToPos(series.values[at], "y") - plot.cursor.top);
      if (best === null || away < best.away) best = { away, run: series.runs[at] };
    });
    return best;
  };

  const labels = (data) => (plot, splits) => splits.map(
    (at) => (Number.isInteger(at) && data.commits[at] ? data.commits[at][0].slice(0, 7) : ""));

  const clipped = (text) => (text.length > 44 ? `${text.slice(0, 43)}…` : text);

  const padded = (low, high) => {
    if (low === null || high === null) return [0, 1];
    const room = high > low ? (high - low) * 0.12 : Math.abs(low) * 0.05 || 1;
    return [low - room, high + room];
  };

  const newest = (plot, data) => plot.setLegend({ idx: data.commits.length - 1 });

  const options = (holder, data) => {
    const ink = colour("ink-quiet");
    const rule = colour("ink-rule");
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { show: false },
      font: "11px system-ui, sans-serif" };
    return {
      width: holder.clientWidth,
      height: HEIGHT,
      padding: [10, 14, 0, 0],
      scales: {
        x: { time: false, range: (_, low, high) => [low - 0.4, high + 0.4] },
        y: { range: (_, low, high) => padded(low, high) },
      },
      legend: { live: true, markers: { dash: (_, index) => STROKES[(index - 1) % STROKES.length] } },
      cursor: { y: false, points: { size: 9 } },
      axes: [
        { ...axis, grid: { show: false }, values: labels(data), size: 26, space: 64,
          incrs: [1, 2, 5, 10, 20, 50], font: "11px ui-monospace, monospace" },
        { ...axis, size: 56, values: (_, splits) => splits.map(figures) },
      ],
      series: [
        { label: "commit", value: (_, at) =>
          (data.commits[at] ? `${data.commits[at][0]} ${clipped(data.commits[at][1])}` : "") },
        ...data.series.map((series, index) => ({
          label: series.case,
          stroke: colour(`line-${index % 6}`),
          dash: DASHES[index % DASHES.length],
          width: 1.75,
          spanGaps: true,
          points: { show: true, size: 6, fill: colour(`line-${index % 6}`) },
          value: (_, value) => figures(value),
        })),
      ],
      hooks: { drawClear: [(plot) => band(plot, data)], draw: [(plot) => ring(plot, data)] },
    };
  };

  const dataOf = (holder) => {
    const own = JSON.parse(holder.dataset.trend);
    const axis = JSON.parse(holder.closest("[data-axis]").dataset.axis);
    const series = axis.cases.map((one, index) => ({ ...one, values: own.values[index] }));
    return { ...axis, ...own, series };
  };

  const draw = (holder, data) => {
    const columns = [data.commits.map((_, at) => at), ...data.series.map((one) => one.values)];
    holder.replaceChildren();
    const plot = new uPlot(options(holder, data), columns, holder);
    plot.over.addEventListener("click", () => {
      const found = nearest(plot, data);
      if (found) location.assign(`${data.opens}${encodeURIComponent(found.run)}`);
    });
    plot.over.addEventListener("mouseleave", () => setTimeout(() => newest(plot, data)));
    setTimeout(() => newest(plot, data));
    return plot;
  };

  const drawAll = () => {
    while (plots.length) plots.pop().destroy();
    for (const holder of document.querySelectorAll("[data-trend]")) {
      const data = dataOf(holder);
      if (data.commits.length > 1) plots.push(draw(holder, data));
    }
    if (plots.length) document.documentElement.dataset.plotted = "";
  };

  const resize = () => {
    for (const plot of plots) {
      plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT });
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    document.addEventListener("provenote:theme", drawAll);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    addEventListener("resize", resize);
  });
})();
