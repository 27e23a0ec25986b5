// The map of films: quiet dots, lit ones for what the viewer said, diamonds for the first row, names of groups where they lie.

const atlas = { films: null, draw: null };
const WAYS = { liked: "#ffb52e", soso: "#f4e9d4", disliked: "#e4735c" },
  PICK = "#62c0f3";

function places({ data }) {
  // the films come once, by a component of their own; what is lit comes with every change
  const at = new Map(data.ids.map((id, n) => [id, n]));
  atlas.films = { ...data, at, size: data.raters.map((r) => Math.sqrt(Math.log2(r))) };
  atlas.draw?.();
}

const mapHtml = `<div class="mq-map-stage"><canvas tabindex="0" role="application" aria-roledescription="map"></canvas><div class="mq-map-tip" hidden></div>
  <div class="mq-map-zoom"><button type="button" data-zoom="in" aria-label="Closer">${icon("plus")}</button><button type="button" data-zoom="out" aria-label="Further away"><svg class="mq-icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M5 11h14v2H5z"/></svg></button><button type="button" data-zoom="all" aria-label="The whole map"><svg class="mq-icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4zm14 0h2v6h-6v-2h4z"/></svg></button></div>
  <p class="mq-name" role="status"></p></div>
  <aside class="mq-map-side"><div class="mq-map-tabs" role="tablist" aria-label="What lies on the map"></div><div class="mq-map-list" role="tabpanel"></div></aside><footer></footer>`;

function tastemap({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  if (!root.firstChild) {
    root.classList.add("mq-map");
    root.innerHTML = mapHtml;
    root.mqView = { k: 1, x: 0, y: 0, over: null, group: null, tab: "groups" };
    mapWire(root);
  }
  if (root.mqData?.viewer !== data.viewer) Object.assign(root.mqView, { k: 1, x: 0, y: 0, over: null, group: null });
  root.mqData = data;
  root.mqAct = act;
  atlas.draw = () => {
    if (!root.isConnected || !atlas.films) return;
    root.mqLit = mapLit(root.mqData);
    mapSide(root);
    mapPaint(root);
  };
  atlas.draw();
}

function mapLit(data) {
  // what stands out, by number of the film on the map: my films, then the first row above them
  const lit = new Map();
  data.mine.forEach((m) => lit.set(atlas.films.at.get(m.id), { way: m.way, said: m.said }));
  data.picks.forEach((p) => lit.set(atlas.films.at.get(p.id), { ...lit.get(atlas.films.at.get(p.id)), rank: p.rank }));
  lit.delete(undefined);
  return lit;
}

// -- painting ------------------------------------------------------------------------------------------------------------

function mapSpot(root, x, y) {
  // from the grid to pixels
  const v = root.mqView,
    { w, h } = root.mqSize,
    side = Math.min(w, h) * 0.97,
    half = atlas.films.grid / 2;
  return [w / 2 + (((x - half) / half) * side * v.k) / 2 + v.x, h / 2 - (((y - half) / half) * side * v.k) / 2 + v.y];
}

function mapPaint(root) {
  cancelAnimationFrame(root.mqFrame);
  root.mqFrame = requestAnimationFrame(() => {
    const stage = root.querySelector(".mq-map-stage"),
      canvas = root.querySelector("canvas"),
      w = stage.clientWidth,
      h = stage.clientHeight,
      dpr = Math.min(devicePixelRatio || 1, 2);
    if (!w || !atlas.films) return;
    if (canvas.width !== Math.round(w * dpr) || canvas.height !== Math.round(h * dpr)) {
      canvas.width = Math.round(w * dpr);
      canvas.height = Math.round(h * dpr);
    }
    root.mqSize = { w, h };
    const pen = canvas.getContext("2d");
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, w, h);
    mapDots(pen, root);
    const marks = [...root.mqLit].map(([n, is]) => [...mapSpot(root, atlas.films.x[n], atlas.films.y[n]), n, is]);
    mapMarks(pen, root, marks);
    mapNames(pen, root, marks);
    mapOver(pen, root);
    canvas.style.touchAction = root.mqView.k > 1 ? "none" : "pan-y";
  });
}

function mapDots(pen, root) {
  const f = atlas.films,
    v = root.mqView,
    { w, h } = root.mqSize,
    grow = (w < 500 ? 0.7 : 0.95) * Math.sqrt(v.k),
    dim = root.mqData.fits,
    layers = { near: [], plain: [], dimmed: [] };
  for (let n = 0; n < f.ids.length; n++) {
    if (root.mqLit.has(n)) continue;
    const away = dim && dim[n] === "0";
    (away ? layers.dimmed : v.group === f.group[n] ? layers.near : layers.plain).push(n);
  }
  const shades = { dimmed: "#f5ecdc14", plain: v.group == null ? "#f5ecdc66" : "#f5ecdc2b", near: "#ffe2a8d0" };
  for (const [layer, films] of Object.entries(layers).reverse()) {
    pen.fillStyle = shades[layer];
    pen.beginPath();
    films.forEach((n) => {
      const [x, y] = mapSpot(root, f.x[n], f.y[n]);
      if (x < -9 || y < -9 || x > w + 9 || y > h + 9) return;
      const r = grow * (f.size[n] - 1.4);
      pen.moveTo(x + r, y);
      pen.arc(x, y, r, 0, 6.2832);
    });
    pen.fill();
  }
}

function mapMarks(pen, root, marks) {
  const f = atlas.films,
    crowd = Math.min(1, Math.max(0.62, (120 / marks.length) ** 0.35)),
    r = (root.mqSize.w < 500 ? 4.2 : 5.2) * crowd * Math.min(1.7, root.mqView.k ** 0.3),
    dim = root.mqData.fits;
  [...marks].sort((a, b) => (a[3].rank ? 1 : 0) - (b[3].rank ? 1 : 0)).forEach(([x, y, n, is]) => {
    pen.globalAlpha = dim && dim[n] === "0" ? 0.25 : root.mqView.group == null || root.mqView.group === f.group[n] ? 1 : 0.5;
    mapMark(pen, x, y, is, is.rank ? (r / crowd) * 1.2 : r);
  });
  pen.globalAlpha = 1;
}

function mapMark(pen, x, y, is, r) {
  // a disc for what I liked, a ring for what lies between, a cross for what I did not, a diamond for what is recommended
  pen.beginPath();
  pen.lineWidth = Math.min(2, r * 0.42);
  pen.strokeStyle = "#100d0b";
  if (is.rank) {
    pen.moveTo(x, y - r * 1.2);
    pen.lineTo(x + r, y);
    pen.lineTo(x, y + r * 1.2);
    pen.lineTo(x - r, y);
    pen.closePath();
    pen.fillStyle = PICK;
    pen.fill();
    pen.stroke();
    return;
  }
  if (is.way === "disliked") {
    const a = r * 0.8;
    pen.moveTo(x - a, y - a);
    pen.lineTo(x + a, y + a);
    pen.moveTo(x + a, y - a);
    pen.lineTo(x - a, y + a);
    pen.lineCap = "round";
    pen.lineWidth = r * 0.95;
    pen.stroke();
    pen.lineWidth = r * 0.5;
    pen.strokeStyle = WAYS.disliked;
    pen.stroke();
    return;
  }
  pen.arc(x, y, r, 0, 6.2832);
  pen.fillStyle = is.way === "liked" ? WAYS.liked : "#100d0b";
  pen.fill();
  if (is.way === "soso") pen.strokeStyle = WAYS.soso;
  pen.stroke();
}

function mapNames(pen, root, marks) {
  const v = root.mqView,
    f = atlas.films,
    { w } = root.mqSize,
    small = w < 500,
    taken = [[w - 62, 0, w, 164]]; // the buttons; no name lies over another, and each where it meets the fewest marks
  const free = (box) => taken.every((t) => box[2] < t[0] || box[0] > t[2] || box[3] < t[1] || box[1] > t[3]);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  const hides = (box) => marks.filter(([mx, my]) => mx > box[0] - 4 && mx < box[2] + 4 && my > box[1] - 4 && my < box[3] + 4).length;
  const write = (text, x, at, size, colour, weight, shifts = [0]) => {
    pen.font = `${weight} ${size}px "Instrument Sans", system-ui, sans-serif`;
    const lines = mapLines(pen, text, small ? 104 : 150),
      tall = size * 1.18,
      wide = Math.max(...lines.map((l) => pen.measureText(l).width)) / 2 + 3,
      mid = Math.max(wide + 4, Math.min(w - wide - 4, x));
    if (x < -wide || x > w + wide || at < -30 || at > root.mqSize.h + 30) return;
    const half = (tall * lines.length) / 2 + 1,
      inside = (y) => Math.max(half + 3, Math.min(root.mqSize.h - half - 3, y)),
      boxes = shifts.map((by) => inside(at + by)).map((y) => [mid - wide, y - half, mid + wide, y + half]).filter(free);
    if (!boxes.length) return;
    const box = shifts.length > 1 ? boxes.map((b, n) => [hides(b) + n / 4, b]).sort((a, b) => a[0] - b[0])[0][1] : boxes[0],
      y = (box[1] + box[3]) / 2;
    taken.push(box);
    if (shifts.length > 1 && hides(box)) {
      pen.fillStyle = "#120e0bc4";
      pen.beginPath();
      pen.roundRect(box[0] - 2, box[1] - 1, box[2] - box[0] + 4, box[3] - box[1] + 2, 6);
      pen.fill();
    }
    pen.lineWidth = 4;
    pen.strokeStyle = "#100d0bd9";
    pen.fillStyle = colour;
    lines.forEach((l, i) => {
      const down = y + (i - (lines.length - 1) / 2) * tall;
      pen.strokeText(l, mid, down);
      pen.fillText(l, mid, down);
    });
  };
  const shown = [...root.mqData.groups].sort((a, b) => (b.n === v.group) - (a.n === v.group) || b.mine + b.picks - a.mine - a.picks || b.films - a.films);
  shown.forEach((g) => {
    const [x, y] = mapSpot(root, g.x, g.y);
    const on = v.group === g.n;
    write(g.name, x, y, small ? 11 : 12.5, on ? "#ffd68a" : v.group == null ? "#e6d9c3" : "#f5ecdc80", on ? 600 : 500, [0, -15, 15, -30, 30]);
  });
  if (v.k < 3) return;
  const close = f.ids.map((_, n) => n).filter((n) => {
    const [x, y] = mapSpot(root, f.x[n], f.y[n]);
    return x > 0 && y > 0 && x < w && y < root.mqSize.h;
  });
  close.sort((a, b) => root.mqLit.has(b) - root.mqLit.has(a) || f.raters[b] - f.raters[a]);
  close.slice(0, small ? 40 : 90).forEach((n) => {
    const [x, y] = mapSpot(root, f.x[n], f.y[n]);
    write(f.titles[n], x, y + 17, 11, root.mqLit.has(n) ? "#fff9ee" : "#c3b6a2", root.mqLit.has(n) ? 600 : 400);
  });
}

function mapLines(pen, text, most) {
  const lines = [""];
  text.split(" ").forEach((word) => {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && pen.measureText(longer).width > most) lines.push(word);
    else lines[lines.length - 1] = longer;
  });
  return lines;
}

function mapOver(pen, root) {
  const n = root.mqView.over,
    tip = root.querySelector(".mq-map-tip");
  tip.hidden = n == null;
  if (n == null) {
    tip.mqFilm = null;
    return;
  }
  const f = atlas.films,
    { w, h } = root.mqSize,
    [x, y] = mapSpot(root, f.x[n], f.y[n]);
  pen.beginPath();
  pen.arc(x, y, 11, 0, 6.2832);
  pen.lineWidth = 2.5;
  pen.strokeStyle = "#fff9ee";
  pen.stroke();
  if (tip.mqFilm !== n) {
    tip.mqFilm = n;
    const film = mapFilm(n);
    tip.innerHTML = `<span class="mq-poster" aria-hidden="true">${poster(film)}</span><span><b>${esc(film.title)}</b><small>${+film.year || ""}</small><em>${esc(mapSaid(root, n))}</em></span>`;
  }
  const wide = tip.offsetWidth,
    tall = tip.offsetHeight;
  tip.style.left = `${Math.max(6, Math.min(w - wide - 6, x + 18 + wide > w ? x - wide - 18 : x + 18))}px`;
  tip.style.top = `${Math.max(6, Math.min(h - tall - 6, y - tall / 2))}px`;
}

const mapFilm = (n) => {
  const f = atlas.films;
  return { id: f.ids[n], title: f.titles[n], year: f.years[n], genres: f.names.filter((_, g) => f.genres[n] & (1 << g)) };
};
const mapSaid = (root, n) => {
  const is = root.mqLit.get(n);
  return [is?.said, is?.rank && `Number ${is.rank} of your first row`].filter(Boolean).join(" · ") || `${atlas.films.raters[n].toLocaleString("en")} people rated it`;
};

// -- moving about --------------------------------------------------------------------------------------------------------

function mapZoom(root, k, x, y) {
  // closer or further, the spot (x, y) in pixels staying where it is
  const v = root.mqView,
    { w, h } = root.mqSize,
    to = Math.min(14, Math.max(1, k)),
    by = to / v.k;
  v.x = x - w / 2 - (x - w / 2 - v.x) * by;
  v.y = y - h / 2 - (y - h / 2 - v.y) * by;
  v.k = to;
  mapHold(root);
}

function mapHold(root) {
  // the map never leaves its frame
  const v = root.mqView,
    { w, h } = root.mqSize,
    side = Math.min(w, h) * 0.97,
    most = (span) => Math.max(0, (side * v.k - span) / 2 + (v.k > 1 ? 60 : 0));
  v.x = Math.max(-most(w), Math.min(most(w), v.x));
  v.y = Math.max(-most(h), Math.min(most(h), v.y));
  mapPaint(root);
}

function mapFly(root, gx, gy, k) {
  const v = root.mqView,
    { w, h } = root.mqSize,
    from = { ...v },
    start = performance.now();
  const go = (k) => {
    v.k = k;
    v.x = v.y = 0;
    const [x, y] = mapSpot(root, gx, gy);
    return [w / 2 - x, h / 2 - y];
  };
  const [tx, ty] = go(k);
  const step = (now) => {
    const t = calm() ? 1 : Math.min(1, (now - start) / 420),
      ease = 1 - (1 - t) ** 3;
    v.k = from.k + (k - from.k) * ease;
    v.x = from.x + (tx - from.x) * ease;
    v.y = from.y + (ty - from.y) * ease;
    mapHold(root);
    if (t < 1) requestAnimationFrame(step);
  };
  Object.assign(v, { k: from.k, x: from.x, y: from.y });
  requestAnimationFrame(step);
}

function mapAt(root, x, y, reach) {
  // the film under the pointer, lit ones first
  let best = null,
    least = reach * reach;
  const f = atlas.films;
  for (let n = 0; n < f.ids.length; n++) {
    const [fx, fy] = mapSpot(root, f.x[n], f.y[n]),
      d = ((fx - x) ** 2 + (fy - y) ** 2) * (root.mqLit.has(n) ? 0.3 : 1);
    if (d < least) {
      least = d;
      best = n;
    }
  }
  return best;
}

function mapLook(root, n, say) {
  if (root.mqView.over === n) return;
  root.mqView.over = n;
  if (say && n != null) root.querySelector("[role=status]").textContent = `${atlas.films.titles[n]}, ${atlas.films.years[n]}. ${mapSaid(root, n)}`;
  root.querySelectorAll(".mq-map-list [data-film]").forEach((b) => b.classList.toggle("mq-lit", n != null && +b.dataset.film === atlas.films.ids[n]));
  mapPaint(root);
}

function mapStep(root, key) {
  // from one lit film to the next in the direction of the arrow
  const f = atlas.films,
    films = [...root.mqLit.keys()],
    here = root.mqView.over ?? films.at(-1);
  if (root.mqView.over == null || !films.length) return films.length ? mapShow(root, here) : undefined;
  const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  const cost = (n) => {
    const ax = f.x[n] - f.x[here],
      ay = f.y[n] - f.y[here],
      on = ax * dx + ay * dy,
      off = Math.abs(ax * dy - ay * dx);
    return on > 0 ? on + 2 * off : Infinity;
  };
  const to = films.filter((n) => n !== here).sort((a, b) => cost(a) - cost(b))[0];
  if (to != null && cost(to) < Infinity) mapShow(root, to);
}

function mapShow(root, n) {
  // look at a film, and bring it into the frame where it is outside
  const [x, y] = mapSpot(root, atlas.films.x[n], atlas.films.y[n]),
    { w, h } = root.mqSize;
  mapLook(root, n, true);
  if (x < 20 || y < 20 || x > w - 20 || y > h - 20) mapFly(root, atlas.films.x[n], atlas.films.y[n], root.mqView.k);
}

function mapWire(root) {
  const canvas = root.querySelector("canvas"),
    fingers = new Map();
  let moved = 0,
    apart = 0;
  const at = (e) => {
    const box = canvas.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  };
  const open = (n) => n != null && root.mqAct({ do: "open", film: atlas.films.ids[n] });
  canvas.onpointerdown = (e) => {
    fingers.set(e.pointerId, at(e));
    if (fingers.size === 1) moved = 0;
    if (fingers.size === 2) apart = mapApart(fingers);
  };
  canvas.onpointermove = (e) => {
    const now = at(e),
      was = fingers.get(e.pointerId);
    if (!was) return mapLook(root, mapAt(root, ...now, 14));
    fingers.set(e.pointerId, now);
    if (fingers.size === 2) {
      const wide = mapApart(fingers),
        [a, b] = [...fingers.values()];
      mapZoom(root, (root.mqView.k * wide) / apart, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
      apart = wide;
      moved = 99;
      return;
    }
    moved += Math.abs(now[0] - was[0]) + Math.abs(now[1] - was[1]);
    if (moved < 5) return;
    if (!canvas.hasPointerCapture(e.pointerId)) canvas.setPointerCapture(e.pointerId);
    root.mqView.x += now[0] - was[0];
    root.mqView.y += now[1] - was[1];
    mapHold(root);
  };
  canvas.onpointerup = (e) => {
    const touch = e.pointerType !== "mouse";
    fingers.delete(e.pointerId);
    if (moved >= 5 || fingers.size) return;
    const n = mapAt(root, ...at(e), touch ? 24 : 14);
    if (!touch || n === root.mqView.over) open(n); // a finger looks first and opens with the second tap
    else mapLook(root, n, true);
  };
  canvas.onpointercancel = (e) => fingers.delete(e.pointerId);
  canvas.onpointerleave = (e) => {
    if (e.pointerType === "mouse" && !fingers.size) mapLook(root, null);
  };
  canvas.addEventListener(
    "wheel",
    (e) => {
      if (e.deltaY > 0 && root.mqView.k <= 1) return; // out of the map, the page scrolls on
      e.preventDefault();
      mapZoom(root, root.mqView.k * Math.exp(-e.deltaY * 0.0018), ...at(e));
    },
    { passive: false },
  );
  canvas.onblur = () => mapLook(root, null);
  canvas.onkeydown = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[a-z]$/i.test(e.key)) e.stopPropagation();
    const { w, h } = root.mqSize ?? {},
      zoom = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 }[e.key];
    if (zoom) mapZoom(root, root.mqView.k * zoom, w / 2, h / 2);
    else if (e.key === "0") mapAll(root);
    else if (e.key.startsWith("Arrow")) mapStep(root, e.key);
    else if (e.key === "Enter" && root.mqView.over != null) open(root.mqView.over);
    else return;
    e.preventDefault();
  };
  root.querySelector(".mq-map-zoom").onclick = (e) => {
    const on = e.target.closest("button")?.dataset.zoom,
      { w, h } = root.mqSize;
    if (on === "all") mapAll(root);
    else if (on) mapZoom(root, root.mqView.k * (on === "in" ? 1.6 : 1 / 1.6), w / 2, h / 2);
  };
  new ResizeObserver(() => mapPaint(root)).observe(root.querySelector(".mq-map-stage"));
  mapWireSide(root, open);
}

const mapApart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
};

function mapAll(root) {
  Object.assign(root.mqView, { k: 1, x: 0, y: 0, group: null });
  mapSide(root);
  mapPaint(root);
}

// -- the lists beside it -------------------------------------------------------------------------------------------------

function mapSide(root) {
  const data = root.mqData,
    v = root.mqView,
    sign = JSON.stringify([data, v.tab, v.group]);
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  const held = root.querySelector(".mq-map-list").contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  const tabs = [
    ["groups", "Groups", data.groups.length],
    ["picks", "First row", data.picks.length],
    ["mine", "Your films", data.mine.length],
  ];
  root.querySelector(".mq-map-tabs").innerHTML = tabs
    .map(([key, name, n]) => `<button type="button" role="tab" class="mq-chip" data-tab="${key}" aria-selected="${key === v.tab}" tabindex="${key === v.tab ? 0 : -1}">${name} <b>${n}</b></button>`)
    .join("");
  const list = root.querySelector(".mq-map-list");
  list.innerHTML = v.tab === "groups" ? mapGroups(root) : mapFilms(root);
  list.querySelector("button")?.setAttribute("tabindex", "0");
  if (held) list.querySelector(held.group != null ? `[data-group="${held.group}"]` : `[data-film="${held.film}"]`)?.focus({ preventScroll: true });
  root.querySelector("canvas").setAttribute(
    "aria-label",
    `Map of ${atlas.films.ids.length} films. ${data.mine.length} of your films and ${data.picks.length} of your first row are lit. Arrow keys go from one to the next, Enter opens it, plus and minus come closer and go away. The lists beside it say the same in words.`,
  );
  root.querySelector("footer").innerHTML = mapLegend(data);
}

function mapGroups(root) {
  const rows = root.mqData.groups.map((g) => {
    const told = [g.mine && `${g.mine} of yours`, g.picks && `${g.picks} recommended`].filter(Boolean).join(", ");
    return `<li><button type="button" data-group="${+g.n}" aria-pressed="${root.mqView.group === g.n}" tabindex="-1"><b>${esc(g.name)}</b><small>${told || "none of yours"} · ${g.films} films</small></button></li>`;
  });
  return `<ul>${rows.join("")}</ul>`;
}

function mapFilms(root) {
  const mine = root.mqView.tab === "mine",
    list = mine ? [...root.mqData.mine].reverse() : root.mqData.picks;
  if (!list.length)
    return `<p class="mq-map-none">${mine ? "Nothing yet. Rate a film, or bring your history along, and it lights up here." : "No film is left for a first row. Widen the filters."}</p>`;
  const rows = list.map((m) => {
    const n = atlas.films.at.get(m.id);
    const shape = mine ? `<i class="mq-map-key mq-${m.way}"></i>` : `<i class="mq-map-key mq-pick"></i>`;
    return `<li><button type="button" data-film="${+m.id}" tabindex="-1">${shape}<b>${esc(atlas.films.titles[n])}</b><small>${+atlas.films.years[n] || ""} · ${mine ? esc(m.said) : `number ${+m.rank}`}</small></button></li>`;
  });
  return `<ul>${rows.join("")}</ul>`;
}

function mapLegend(data) {
  const [high, low] = data.levels,
    count = (way) => data.mine.filter((m) => m.way === way).length;
  const keys = [
    ["liked", `You liked it: ${high}`, count("liked")],
    ["soso", "In between, or only watched", count("soso")],
    ["disliked", `Not for you: ${low}`, count("disliked")],
    ["pick", "In your first row", data.picks.length],
  ];
  const said = keys.map(([key, name, n]) => `<li><i class="mq-map-key mq-${key}"></i>${esc(name)} <b>${n}</b></li>`).join("");
  const notes = [data.asked && `Dimmed: what is not among ${data.asked}.`, data.off, data.quality].filter(Boolean);
  return `<ul class="mq-map-legend">${said}<li><i class="mq-map-key mq-dot"></i>Any other film, larger the more people rated it</li></ul>${notes.map((t) => `<p>${esc(t)}</p>`).join("")}`;
}

function mapWireSide(root, open) {
  const side = root.querySelector(".mq-map-side"),
    look = (e) => {
      const on = e.target.closest("[data-film]");
      if (on) mapShow(root, atlas.films.at.get(+on.dataset.film));
    };
  side.onclick = (e) => {
    const on = e.target.closest("button");
    if (!on) return;
    const { tab, group, film } = on.dataset;
    if (tab) root.mqView.tab = tab;
    if (film) return open(atlas.films.at.get(+film));
    if (group != null) {
      const g = root.mqData.groups.find((x) => x.n === +group),
        again = root.mqView.group === g.n;
      if (again) return mapAll(root);
      root.mqView.group = g.n;
      mapFly(root, g.x, g.y, 2.6);
    }
    mapSide(root);
    mapPaint(root);
    if (tab) side.querySelector(`[data-tab="${tab}"]`).focus();
  };
  side.onfocusin = look;
  side.onpointerover = look;
  side.onpointerleave = () => mapLook(root, null);
  side.onfocusout = (e) => side.contains(e.relatedTarget) || mapLook(root, null);
  side.onkeydown = (e) => {
    const all = [...(e.target.closest("ul, [role=tablist]")?.querySelectorAll("button") ?? [])];
    walk(e, all, e.target.closest("button"));
  };
}
