// What a test asks a page it looks at: what moved, what is cut off, what is too faint. Added to every page before its own scripts.
window.looking = (() => {
  const shifts = [];
  new PerformanceObserver((list) => shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput))).observe({ type: "layout-shift", buffered: true });
  const words = (e) => (e?.textContent ?? "").trim().slice(0, 40);

  // The sum since the first text was painted, and what moved most. Before it Streamlit lays out empty boxes, which nobody sees.
  function moved() {
    const since = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    const seen = shifts.filter((shift) => shift.startTime > since).sort((a, b) => b.value - a.value);
    return [seen.reduce((sum, shift) => sum + shift.value, 0), seen[0]?.sources.map((source) => words(source.node))];
  }

  // What scrolls the page sideways, what stands outside it and is no part of something that scrolls, words outside their chart, headings that are cut.
  function cut() {
    const found = [];
    const say = (what, e) => found.push(`${what}: ${e.tagName} ${words(e)}`);
    const held = (e) => {
      for (let above = e.parentElement; above && above.dataset.testid !== "stMainBlockContainer"; above = above.parentElement) if (getComputedStyle(above).overflowX !== "visible") return true;
      return false;
    };
    for (const e of document.querySelectorAll(":root, [data-testid=stMain], [role=dialog]")) if (e.scrollWidth > e.clientWidth) say("scrolls sideways", e);
    for (const e of document.querySelectorAll("[data-testid=stMainBlockContainer] *, [role=dialog] *")) {
      const box = e.getBoundingClientRect();
      if (box.width && box.height && (box.right > innerWidth + 1 || box.left < -1) && !held(e)) say("outside the page", e);
    }
    for (const chart of document.querySelectorAll("svg.marks")) {
      const frame = chart.getBoundingClientRect();
      for (const e of chart.querySelectorAll("text")) {
        const box = e.getBoundingClientRect();
        if (box.width && e.textContent && +getComputedStyle(e).opacity && (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2)) say("outside its chart", e);
      }
    }
    for (const e of document.querySelectorAll("h1, h2, h3")) {
      const look = getComputedStyle(e);
      if (look.clipPath === "none" && e.clientWidth > 2 && look.overflowX === "hidden" && look.textOverflow !== "ellipsis" && e.scrollWidth > e.clientWidth + 1) say("cut", e);
    }
    return found;
  }

  const night = [16, 13, 11];
  const parsed = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const over = (ink, ground, share) => ink.slice(0, 3).map((c, i) => share * c + (1 - share) * ground[i]);
  const linear = (c) => (c <= 10.31475 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);

  // What a chart draws too faintly on the ground it stands on (WCAG 1.4.3 and 1.4.11): words below 4.5:1, points and lines below 3:1.
  // A point in the colour of the ground is the rim that sets another one apart.
  function faint() {
    const found = new Set();
    for (const chart of document.querySelectorAll("svg.marks")) {
      const plates = [...chart.querySelectorAll(".mark-rect path")].map((e) => [e.getBoundingClientRect(), getComputedStyle(e)]);
      for (const e of chart.querySelectorAll("text")) {
        const box = e.getBoundingClientRect();
        const look = getComputedStyle(e);
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        if (!box.width || !e.textContent.trim() || !+look.opacity || look.fill === look.stroke) continue; // words with a rim of their colour are a halo
        const below = plates.filter(([plate]) => plate.left <= x && x <= plate.right && plate.top <= y && y <= plate.bottom);
        const ground = below.reduce((last, [, plate]) => over(parsed(plate.fill), last, plate.fillOpacity * plate.opacity), night);
        const got = ratio(over(parsed(look.fill), ground, look.fillOpacity * look.opacity), ground);
        if (got < 4.5) found.add(`${got.toFixed(2)}:1 words “${words(e)}” ${look.fill}`);
      }
      for (const e of chart.querySelectorAll(".mark-symbol path, .mark-line path")) {
        const look = getComputedStyle(e);
        const [ink, part] = look.stroke === "none" ? [look.fill, look.fillOpacity] : [look.stroke, look.strokeOpacity];
        const share = part * look.opacity;
        const got = ink === "none" ? 21 : ratio(over(parsed(ink), night, share), night);
        if (share && got > 1.05 && got < 3) found.add(`${got.toFixed(2)}:1 mark ${ink} at ${share}`);
      }
    }
    return [...found];
  }

  // Buttons of a group that is one stop of the tab key, smaller than a finger can hit (WCAG 2.5.8): axe leaves out what Tab does not reach.
  function small() {
    const found = [];
    for (const e of document.querySelectorAll(".mq button[tabindex='-1']")) {
      const box = e.getBoundingClientRect();
      if (box.width && box.height && Math.min(box.width, box.height) < 24) found.push(`${box.width.toFixed()} by ${box.height.toFixed()} px: ${words(e)}`);
    }
    return found;
  }
  return { moved, cut, faint, small };
})();
