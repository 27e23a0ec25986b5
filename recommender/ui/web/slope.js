// Two rankings of one viewer side by side: each film with its poster and what time and device gave it, a line from rank to rank.

const slopeHtml = `<section class="mq-side"><header></header><ol></ol></section><svg class="mq-lines" preserveAspectRatio="none" aria-hidden="true" focusable="false"></svg><section class="mq-side"><header></header><ol></ol></section>`;

function slope({ data, parentElement }) {
  const root = parentElement.querySelector(".mq");
  if (!root.firstChild) {
    root.classList.add("mq-slope");
    root.innerHTML = slopeHtml;
    slopeHover(root);
  }
  const most = Math.max(0.01, ...data.films.flatMap((f) => [...f.time, ...f.device].map(Math.abs)));
  root.querySelectorAll(".mq-side").forEach((side, n) => slopeSide(side, data, n, most));
  slopeLines(root.querySelector(".mq-lines"), data);
}

function slopeSide(side, data, n, most) {
  const here = data.sides[n],
    list = side.querySelector("ol"),
    known = new Map([...list.children].map((li) => [li.mqFilm, li])),
    was = spots(list);
  side.querySelector("header").innerHTML = `<b>${"AB"[n]}</b><h3>${esc(here.name)}</h3>${here.note ? `<i>${esc(here.note)}</i>` : ""}`;
  const films = data.films.filter((f) => f.ranks[n] <= data.k).sort((a, b) => a.ranks[n] - b.ranks[n]);
  films.forEach((film, at) => {
    let li = known.get(film.id);
    if (!li) {
      li = document.createElement("li");
      li.mqFilm = film.id;
      li.dataset.film = film.id;
      li.innerHTML = `<span class="mq-rank"></span><span class="mq-poster" aria-hidden="true">${poster(film)}</span><span class="mq-told"></span>`;
    }
    known.delete(film.id);
    li.className = slopeWay(film, data.k);
    li.querySelector(".mq-rank").textContent = film.ranks[n];
    li.querySelector(".mq-told").innerHTML = slopeTold(film, data, n, most);
    if (list.children[at] !== li) list.insertBefore(li, list.children[at] ?? null);
  });
  known.forEach((li) => li.remove());
  glide(list, was);
}

const slopeRise = (film) => film.ranks[0] - film.ranks[1];
const slopeWay = (film, k) => `${slopeRise(film) > 0 ? "mq-rises" : slopeRise(film) < 0 ? "mq-falls" : "mq-stays"}${Math.max(...film.ranks) > k ? " mq-lone" : ""}`;

function slopeTold(film, data, n, most) {
  const other = film.ranks[1 - n],
    up = slopeRise(film);
  const move = other > data.k ? (n ? `▲ from ${other}` : `▼ to ${other}`) : !n || !up ? "" : up > 0 ? `▲ ${up}` : `▼ ${-up}`;
  const points = [
    ["time", film.time[n], data.sides[n].time],
    ["device", film.device[n], data.sides[n].device],
  ]
    .map(([name, x, known]) => `<span class="mq-pt mq-pt-${name}"><i>${name}</i><s>${known ? slopeBar(x, most) : ""}</s><b>${known ? signed(x) : "any"}</b></span>`)
    .join("");
  return `<strong>${esc(film.title)}</strong><span class="mq-move"><em>${move}</em></span>${points}`;
}

const slopeBar = (x, most) => `<u class="${x < 0 ? "mq-minus" : ""}" style="width:${n1((Math.abs(x) / most) * 50)}%;${x < 0 ? "right" : "left"}:50%"></u>`;

function curve(svg, known, film, d, way) {
  // one line of a film between its ranks: a known one moves, a new one appears; what is left in `known` is gone from the data
  let path = known.get(String(film));
  known.delete(String(film));
  if (!path) {
    path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.dataset.film = film;
    svg.append(path);
    if (!calm()) path.animate([{ opacity: 0 }, { opacity: 1 }], 420);
  } else if (path.mqD !== d && !calm()) path.animate([{ d: `path("${path.mqD}")` }, { d: `path("${d}")` }], { duration: 520, easing: "cubic-bezier(.2,.7,.2,1)" });
  path.mqD = d;
  path.setAttribute("d", d);
  path.setAttribute("class", way);
}

function slopeLines(svg, data) {
  const rows = Math.max(1, ...[0, 1].map((n) => data.films.filter((f) => f.ranks[n] <= data.k).length)),
    y = (rank) => rank - 0.5,
    known = new Map([...svg.children].map((p) => [p.dataset.film, p]));
  svg.setAttribute("viewBox", `0 0 100 ${rows}`);
  svg.parentElement.style.setProperty("--rows", rows);
  data.films.forEach((film) => {
    const [a, b] = film.ranks;
    const d =
      b > data.k
        ? `M0 ${y(a)}C14 ${y(a)} 22 ${y(a) + 0.1} 32 ${y(a) + 0.5}`
        : a > data.k
          ? `M68 ${y(b) + 0.5}C78 ${y(b) + 0.1} 86 ${y(b)} 100 ${y(b)}`
          : `M0 ${y(a)}C50 ${y(a)} 50 ${y(b)} 100 ${y(b)}`;
    curve(svg, known, film.id, d, slopeWay(film, data.k));
  });
  known.forEach((path) => path.remove());
}

function slopeHover(root) {
  // the film under the pointer keeps its light, the others dim
  const light = (id) => {
    root.classList.toggle("mq-lit-one", !!id);
    root.querySelectorAll("[data-film]").forEach((el) => el.classList.toggle("mq-lit", el.dataset.film === id));
  };
  root.onpointerover = (e) => light(e.target.closest("[data-film]")?.dataset.film);
  root.onpointerleave = () => light();
}
