// A film's poster: ground, picture and lettering, composed in one of eight ways. The film's id decides, nothing else does.

const W = 200,
  H = 300;
let drawn = 0; // gradients need names that are unique in the page

function ground(w, h, p, id) {
  return `<defs><linearGradient id="${id}" x1="0" y1="0" x2="0.25" y2="1"><stop stop-color="${p.top}"/><stop offset="1" stop-color="${p.bottom}"/></linearGradient></defs>${box(0, 0, w, h, `url(#${id})`)}`;
}
function veil(id, colour, up, y, fade = 58) {
  // lets lettering stand on a busy picture: solid from y on, downwards or up
  const [y1, y2] = up ? [0, y + fade] : [y - fade, H],
    solid = n1(((fade - 6) / (y2 - y1)) * 100);
  const stop = (offset, opacity) => `<stop offset="${offset}%" stop-color="${colour}" stop-opacity="${opacity}"/>`;
  return `<linearGradient id="${id}" x1="0" x2="0" y1="${up ? 1 : 0}" y2="${up ? 0 : 1}">${stop(0, 0)}${stop(solid, 0.88)}${stop(100, 0.97)}</linearGradient>${box(0, y1, W, y2 - y1, `url(#${id})`)}`;
}
function clipped(id, x, y, w, h, body) {
  return `<clipPath id="${id}">${box(x, y, w, h, "#000")}</clipPath><g clip-path="url(#${id})">${body}</g>`;
}
function letters(text, x, y, size, face, fill, anchor = "start", more = "") {
  const f = FACES[face];
  return `<text x="${n1(x)}" y="${n1(y)}" fill="${fill}" text-anchor="${anchor}" style="font:${f.style ?? "normal"} ${f.weight ?? 400} ${n1(size)}px '${f.family}',serif" ${more}>${esc(f.caps ? text.toUpperCase() : text)}</text>`;
}
function setting(title, face, x, y, w, h, fill, { anchor = "start", low = false, largest = 46, most = 5 } = {}) {
  // lines in a box, standing on its floor or hanging from its top
  const { lines, size } = fit(title, face, w, h, largest, most);
  const { lead, cap } = FACES[face],
    tall = (lines.length - 1) * lead * size + cap * size;
  const first = (low ? y + h - tall : y) + cap * size;
  return { body: lines.map((l, i) => letters(l, x, first + i * lead * size, size, face, fill, anchor)).join(""), tall, top: low ? y + h - tall : y };
}
const small = (text, x, y, fill, anchor = "start") =>
  `<text x="${n1(x)}" y="${n1(y)}" fill="${fill}" opacity="0.85" text-anchor="${anchor}" style="font:600 8.5px 'Instrument Sans',sans-serif;letter-spacing:1.4px">${esc(text).toUpperCase()}</text>`;

const LAYOUTS = {
  low({ film, face, p, id, art }) {
    const t = setting(film.title, face, 15, 146, 170, 114, p.ink, { low: true, largest: 48 });
    return art(W, H, 100, 118) + veil(`${id}v`, p.bottom, false, t.top) + t.body + small(film.credit, 15.5, 284, p.ink);
  },
  high({ film, face, p, id, art }) {
    const t = setting(film.title, face, 15, 34, 170, 112, p.ink, { largest: 48 });
    return art(W, H, 100, 205) + veil(`${id}v`, p.top, true, 34 + t.tall) + small(film.credit, 15.5, 23, p.ink) + t.body;
  },
  middle({ film, face, p, art }) {
    const t = fit(film.title, face, 138, 92, 40, 4),
      { lead, cap } = FACES[face],
      tall = (t.lines.length - 1) * lead * t.size + cap * t.size,
      y = 214 - tall / 2;
    return (
      art(W, H, 100, 104) +
      box(19, y - 25, 162, tall + 62, p.top) +
      box(23, y - 21, 154, tall + 54, "none", { stroke: p.ink, "stroke-width": 0.8, opacity: 0.8 }) +
      t.lines.map((l, i) => letters(l, 100, y + cap * t.size + i * lead * t.size, t.size, face, p.ink, "middle")).join("") +
      small(film.year, 100, y + tall + 20, p.ink, "middle")
    );
  },
  frame({ film, face, p, id, art }) {
    const t = setting(film.title, face, 100, 203, 168, 66, p.ink, { anchor: "middle", largest: 36, most: 3 });
    return (
      clipped(`${id}c`, 14, 14, 172, 174, art(W, 200, 100, 96)) +
      box(14, 14, 172, 174, "none", { stroke: p.ink, "stroke-width": 1.2, opacity: 0.9 }) +
      `<g transform="translate(0 ${n1((66 - t.tall) / 2)})">${t.body}</g>` +
      small(film.credit, 100, 286, p.ink, "middle")
    );
  },
  band({ film, face, p, id, art }) {
    const t = setting(film.title, face, 15, 20, 170, 78, p.ink, { largest: 40, most: 3 }),
      y = 20 + t.tall + 26;
    return (
      t.body +
      small(film.credit, 15.5, y - 9, p.ink) +
      clipped(
        `${id}c`,
        0,
        y,
        W,
        H - y,
        `<g transform="translate(0 ${n1(y)})">${box(0, 0, W, H - y, p.bottom)}${art(W, H - y, 100, (H - y) * 0.46)}</g>`,
      )
    );
  },
  tall({ film, face, p, id, art }) {
    const { lines, size } = fit(film.title, face, 262, 58, 52, 2),
      { lead, cap } = FACES[face];
    const x = 16 + cap * size,
      strip = 32 + cap * size + (lines.length - 1) * lead * size;
    return (
      clipped(`${id}c`, strip, 0, W - strip, H, art(W, H, strip + (W - strip) / 2, 140)) +
      lines.map((l, i) => letters(l, 0, 0, size, face, p.ink, "start", `transform="translate(${n1(x + i * lead * size)} 282) rotate(-90)"`)).join("")
    );
  },
  giant({ film, face, p, id, art }) {
    const bare = film.title.replace(/^(the|an?) (?=\S)/i, ""),
      sign = (/^\d+/.exec(bare)?.[0] ?? [...bare][0] ?? "?").slice(0, 4);
    const t = setting(film.title, face, 15, 203, 170, 60, p.ink, { low: true, largest: 30, most: 3 });
    const size = Math.min(190 / Math.max(0.3, width(sign, face)), (t.top - 26) / FACES[face].cap);
    return (
      `<g opacity="0.35">${art(W, H, 100, 110)}</g>` +
      letters(sign, 100, 16 + FACES[face].cap * size, size, face, p.main, "middle") +
      veil(`${id}v`, p.bottom, false, t.top, 34) +
      t.body +
      small(film.credit, 15.5, 284, p.ink)
    );
  },
  stack({ film, face, p, art }) {
    // every word as wide as the sheet
    const f = FACES[face],
      rows = film.title.split(/\s+/).map((word) => ({ word, size: Math.min(172 / Math.max(0.3, width(word, face)), 96) }));
    const tall = rows.reduce((sum, row) => sum + row.size * (f.cap + 0.1), 0),
      k = Math.min(1, 236 / tall);
    let y = 24;
    const body = rows
      .map(({ word, size }, i) => {
        y += size * k * f.cap;
        const out = letters(word, 14, y, size * k, face, i % 2 ? p.main : p.ink);
        y += size * k * 0.1 + 3;
        return out;
      })
      .join("");
    return `<g opacity="0.16">${art(W, H, 100, 170)}</g>` + body + line(14, 272, 186, 272, p.ink, 1) + small(film.credit, 14.5, 286, p.ink);
  },
};

function layout(film, r) {
  const words = film.title.trim().split(/\s+/),
    length = film.title.length,
    fitting = ["low", "low", "high", "frame", "band", "middle"];
  if (length <= 17) fitting.push("tall", "tall");
  if (length <= 22 && /^[A-Z0-9]/i.test(film.title)) fitting.push("giant");
  if (words.length > 1 && words.length <= 4 && words.every((w) => w.length >= 2 && w.length <= 9)) fitting.push("stack", "stack");
  return pick(r, fitting);
}

function design(film) {
  // everything that is chosen, in one place
  const r = chance(+film.id || 1),
    [lead, second] = leads(film.genres ?? []);
  const p = inks(lead, r),
    face = pick(r, GENRE_FACES[lead]),
    kind = layout(film, r);
  const motif = pick(r, GENRE_MOTIFS[second && r() < 0.3 ? second : lead]);
  return { lead, p, face, kind, motif, art: (w, h, x, y) => MOTIFS[motif](w, h, r, p, { x, y }, Math.min(w, h)) };
}

function poster(film) {
  const d = design(film),
    id = `mqp${++drawn}`;
  const body = LAYOUTS[d.kind]({
    film: { ...film, title: String(film.title), credit: [film.year || "", d.lead].filter(Boolean).join("  ·  ") },
    face: d.face,
    p: d.p,
    id,
    art: d.art,
  });
  return `<svg class="mq-art" data-art="${+film.id}" viewBox="0 0 ${W} ${H}" aria-hidden="true" focusable="false">${ground(W, H, d.p, id)}${body}</svg>`;
}

function scene(film, w, h, x, y) {
  // the poster's picture alone, wide, for the hero and the dialog
  const d = design(film),
    id = `mqs${++drawn}`;
  return {
    svg: `<svg class="mq-art" viewBox="0 0 ${w} ${h}" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">${ground(w, h, d.p, id)}${d.art(w, h, x, y)}</svg>`,
    ...d,
  };
}
