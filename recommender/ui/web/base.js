// What every drawing and view uses: escaping, seeded chance, numbers kept short.

const esc = (s) => String(s ?? "").replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
const n1 = (x) => Math.round(x * 10) / 10; // one decimal is enough for a drawing

function chance(seed) {
  // mulberry32: the same film always draws the same numbers
  let a = (seed * 2654435761) >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const pick = (r, list) => list[Math.floor(r() * list.length) % list.length];
const between = (r, low, high) => low + r() * (high - low);
const range = (n) => Array.from({ length: n }, (_, i) => i);

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const hovers = () => matchMedia("(hover: hover)").matches;

const ICONS = {
  play: "M8 5v14l11-7z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  check: "M9.5 16.2 5.3 12l-1.4 1.4 5.6 5.6L20.1 8.4 18.7 7z",
  left: "M15.4 7.4 14 6l-6 6 6 6 1.4-1.4L10.8 12z",
  right: "M8.6 16.6 13.2 12 8.6 7.4 10 6l6 6-6 6z",
  find: "M15.5 14h-.8l-.3-.3a6.5 6.5 0 1 0-.7.7l.3.3v.8l5 5 1.5-1.5zm-6 0a4.5 4.5 0 1 1 0-9 4.5 4.5 0 0 1 0 9z",
  close: "M18.3 7.1 16.9 5.7 12 10.6 7.1 5.7 5.7 7.1l4.9 4.9-4.9 4.9 1.4 1.4 4.9-4.9 4.9 4.9 1.4-1.4-4.9-4.9z",
  love: "M12 20.7 10.6 19.4C5.4 14.7 2 11.6 2 7.9 2 4.8 4.4 2.5 7.4 2.5c1.7 0 3.4.8 4.6 2.1a6.2 6.2 0 0 1 4.6-2.1c3 0 5.4 2.3 5.4 5.4 0 3.7-3.4 6.8-8.6 11.5z",
  like: "M2 21h4V9H2zm20-11c0-1.1-.9-2-2-2h-6.3l1-4.6v-.3c0-.4-.2-.8-.4-1.1L13.2 1 6.6 7.6C6.2 8 6 8.5 6 9v10c0 1.1.9 2 2 2h9c.8 0 1.5-.5 1.8-1.2l3-7.1c.1-.2.2-.5.2-.7z",
  nope: "M22 3h-4v12h4zM2 14c0 1.1.9 2 2 2h6.3l-1 4.6v.3c0 .4.2.8.4 1.1l1.1 1 6.6-6.6c.4-.4.6-.9.6-1.4V5c0-1.1-.9-2-2-2H6c-.8 0-1.5.5-1.8 1.2l-3 7.1c-.1.2-.2.5-.2.7z",
  dice: "M19 3H5a2 2 0 0 0-2 2v14c0 1.1.9 2 2 2h14a2 2 0 0 0 2-2V5a2 2 0 0 0-2-2zM7.5 18a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3zm0-9a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3zm4.5 4.5a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3zm4.5 4.5a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3zm0-9a1.5 1.5 0 1 1 0-3 1.5 1.5 0 0 1 0 3z",
  hide: "M12 6.5c2.8 0 5 2.2 5 5 0 .5-.1 1-.2 1.5l2.9 2.9a11.8 11.8 0 0 0 3.3-4.4C21.3 7.1 17 4 12 4c-1.3 0-2.5.2-3.6.6l2.2 2.2c.4-.2.9-.3 1.4-.3zM2.7 3.2 1.4 4.5l2.9 2.9A11.8 11.8 0 0 0 1 11.5C2.7 15.9 7 19 12 19c1.5 0 2.9-.3 4.2-.8l3.3 3.3 1.3-1.3zM12 16.5a5 5 0 0 1-4.6-6.9l1.6 1.6a3 3 0 0 0 3.3 3.3l1.6 1.6c-.6.3-1.2.4-1.9.4z",
};
const icon = (name) => `<svg class="mq-icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;

const runtime = (film) => (film.minutes ? `${Math.floor(film.minutes / 60)}h ${String(film.minutes % 60).padStart(2, "0")}m` : "");
const facts = (film) => [film.year || "", film.certificate, runtime(film)].filter(Boolean);
const matched = (film) => (film.both ? film.both.map(([who, match]) => `${who} ${match == null ? "?" : `${+match}%`}`).join(" · ") : film.match == null ? "" : `${+film.match}% match`);
const kinds = (film) => (film.genres?.length ? [...new Set([...leads(film.genres), ...film.genres])].slice(0, 5).join(", ") : ""); // the genre of its poster first
const said = (film) =>
  film.sentence
    ? `<p class="mq-said">${esc(film.sentence)}${film.simulated ? ` <i class="mq-tag mq-lit" title="Uses a signal drawn from a rule, not observed">simulated</i>` : ""}</p>`
    : "";
const factLine = (film) =>
  [
    `<em>${esc(matched(film))}</em>`,
    esc(film.year || ""),
    film.certificate && `<i class="mq-rated">${esc(film.certificate)}</i>`,
    runtime(film),
    film.stars == null ? "" : `★ ${(+film.stars).toFixed(1)} predicted`,
    esc(kinds(film)),
  ]
    .filter((x) => x && x !== "<em></em>")
    .map((x) => `<span>${x}</span>`)
    .join("");
