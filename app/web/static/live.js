/* What goes on: clocks that run between two answers, and the news of a run under way. */
(() => {
  "use strict";
  const THIN = "\u202f";
  const SLOWEST = 5000;
  const HIDDEN = 2000;
  const QUIET = 5000;
  const PARTS = ["mark", "state", "times", "cancel", "stages", "now", "log"];

  /* Clocks: the server says how long it was and will be; from then on we count by ourselves.
     What is left never falls below data-floor: that much comes only after the next event. */
  const begun = new WeakMap();

  const age = (element) => {
    const key = `${element.dataset.elapsed}/${element.dataset.left}`;
    let start = begun.get(element);
    if (!start || start.key !== key) {
      start = { key, at: performance.now() };
      begun.set(element, start);
    }
    return (performance.now() - start.at) / 1000;
  };

  const about = (seconds) => {
    if (seconds < 20) return `about ${Math.max(1, Math.round(seconds))}${THIN}s`;
    if (seconds < 90) return `about ${5 * Math.round(seconds / 5)}${THIN}s`;
    if (seconds < 5400) return `about ${Math.round(seconds / 60)}${THIN}min`;
    return `about ${Math.round(seconds / 3600)}${THIN}h`;
  };

  const passed = (seconds) => {
    if (seconds < 9.95) return `${seconds.toFixed(1)}${THIN}s`;
    if (seconds < 99.5) return `${Math.round(seconds)}${THIN}s`;
    return `${Math.round(seconds / 60)}${THIN}min`;
  };

  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  const show = {
    elapsed: (one, elapsed) => write(one, passed(elapsed)),
    left: (one, _, left) => write(one, left < 0.5 ? "soon done" : `${about(left)} left`),
    wait: (one, _, left) => write(one, left < 0.5 ? "starts soon" : about(left)),
    bar: (one, elapsed, left) => { if (elapsed + left > 0) one.value = elapsed / (elapsed + left); },
  };

  const tick = () => {
    for (const one of document.querySelectorAll("[data-clock]")) {
      const since = age(one);
      const floor = Number(one.dataset.floor || 0);
      const left = Math.max(floor, Number(one.dataset.left || 0) - since);
      show[one.dataset.clock]?.(one, Number(one.dataset.elapsed || 0) + since, left);
    }
  };

  /* News of a run: parts are replaced where they differ, finished cells are added below. */
  const root = document.querySelector("[data-live]");

  const replace = (id, news) => {
    const old = document.getElementById(id);
    const fresh = news.getElementById(id);
    if (!old || !fresh || old.isEqualNode(fresh)) return;
    old.hidden = fresh.hidden;
    const same = old.dataset.key !== undefined && old.dataset.key === fresh.dataset.key;
    if (!same) {
      if (fresh.dataset.key !== undefined) old.dataset.key = fresh.dataset.key;
      old.replaceChildren(...fresh.childNodes);
    } else if (fresh.querySelector("pre")) {
      write(old.querySelector("pre"), fresh.querySelector("pre").textContent);
    }
  };

  const moveBar = (news) => {
    const bar = document.querySelector("#live-bar progress");
    const fresh = news.querySelector("#live-bar progress");
    for (const name of [...bar.getAttributeNames(), ...fresh.getAttributeNames()]) {
      if (fresh.hasAttribute(name)) bar.setAttribute(name, fresh.getAttribute(name));
      else bar.removeAttribute(name);
    }
  };

  const addCells = (news) => {
    const list = document.getElementById("live-cells");
    for (const cell of [...news.querySelectorAll("#live-cells > article")]) {
      if (!document.getElementById(cell.id)) list.append(document.adoptNode(cell));
    }
  };

  let told = 0;
  const tell = (news) => {  // not each cell: a voice that reads the page would never be done
    if (performance.now() - told < QUIET) return;
    told = performance.now();
    write(document.getElementById("live-told"), news.getElementById("live-told").textContent);
  };

  const tails = () => [...document.querySelectorAll("[data-tail]")];
  const isAtEnd = (tail) => tail.scrollHeight - tail.scrollTop - tail.clientHeight < 40;
  const toEnd = (tail) => { tail.scrollTop = tail.scrollHeight; };

  const take = (text) => {
    const news = new DOMParser().parseFromString(text, "text/html");
    const left = tails().filter((tail) => !isAtEnd(tail));  // a reader has scrolled away
    addCells(news);
    for (const part of PARTS) replace(`live-${part}`, news);
    moveBar(news);
    tell(news);
    Object.assign(root.dataset, news.querySelector("[data-live]").dataset);
    tails().filter((tail) => !left.includes(tail)).forEach(toEnd);
    tick();
  };

  const ask = async () => {
    const address = `${root.dataset.live}?seen=${encodeURIComponent(root.dataset.seen)}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(10000) });
    if (answer.headers.get("HX-Refresh")) {
      location.reload();
      return false;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    if (answer.status === 200) take(await answer.text());
    return true;
  };

  let failed = 0;
  let timer = 0;
  const follow = async () => {
    timer = 0;
    let goesOn = true;
    try {
      goesOn = await ask();
      failed = 0;
    } catch {
      failed += 1;
    }
    document.getElementById("live-silent").hidden = failed < 3;
    const pace = Number(root.dataset.pace);
    const pause = failed ? Math.min(SLOWEST, pace * 2 ** Math.min(failed, 6)) : pace;
    if (goesOn) timer = setTimeout(follow, document.hidden ? Math.max(HIDDEN, pause) : pause);
  };

  document.addEventListener("htmx:after:swap", tick);
  document.addEventListener("DOMContentLoaded", () => {
    tick();
    setInterval(tick, 100);
    if (!root) return;
    tails().forEach(toEnd);
    timer = setTimeout(follow, Number(root.dataset.pace));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || !timer) return;
      clearTimeout(timer);
      follow();
    });
  });
})();
