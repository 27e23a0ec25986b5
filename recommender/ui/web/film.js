// The dialog of one film: facts, the reasons and what each weighs, what each model adds, films like it, what you think of it.

const MARKS = [
  ["love", "love", "Love"],
  ["like", "like", "Like"],
  ["dislike", "nope", "Not for me"],
];
const signed = (x) => (x > 0 ? "+" : x < 0 ? "−" : "±") + Math.abs(x).toFixed(2);

function bars(list, name) {
  // signed bars around one common zero
  const low = Math.min(0, ...list.map((b) => b.weight)),
    high = Math.max(low < 0 ? 0 : 1e-9, ...list.map((b) => b.weight)),
    scale = 100 / (high - low),
    zero = -low * scale;
  return `<ul class="mq-bars" aria-label="${esc(name)}">${list
    .map((b) => {
      const long = Math.max(0.8, Math.abs(b.weight) * scale),
        left = b.weight < 0 ? zero - long : zero;
      const behind = [b.fall, b.behind].filter(Boolean).map(esc).join(" · ");
      const off = b.film ? ` <button type="button" class="mq-link mq-off" data-do="unuse" data-other="${+b.film}" aria-label="Do not use ${esc(b.label)}">Don’t use</button>` : "";
      return `<li><span class="mq-of"><small>${esc(b.kind)}</small>${esc(b.label)}${b.simulated ? ` <i class="mq-tag mq-lit">simulated</i>` : ""}${behind || off ? `<em>${behind}${off}</em>` : ""}</span><span class="mq-rail" aria-hidden="true"><i class="${b.weight < 0 ? "mq-minus" : ""}" style="left:${left.toFixed(1)}%;width:${long.toFixed(1)}%"></i><u style="left:${zero}%"></u></span><b>${signed(+b.weight)}</b></li>`;
    })
    .join("")}</ul>`;
}

function filmHtml(d) {
  const f = d.film,
    s = scene(f, 900, 320, 590, 140),
    face = FACES[s.face],
    size = Math.min(2.5, 15 / Math.max(3.2, Math.max(...f.title.split(/\s+/).map((w) => width(w, s.face))), width(f.title, s.face) / 2));
  const people = [
    ["Directed by", f.directors],
    ["With", f.actors],
  ]
    .filter(([, names]) => names?.length)
    .map(([k, names]) => `<div><dt>${k}</dt><dd>${esc(names.join(", "))}</dd></div>`)
    .join("");
  return `<article class="mq-film" style="--mq-ground:${s.p.bottom}"><div class="mq-scene">${s.svg}</div><div class="mq-shade"></div>
    <div class="mq-top"><div class="mq-poster">${poster(f)}</div><div class="mq-lead"><h2 style="font:${face.style ?? "normal"} ${face.weight ?? 400} calc(${size.toFixed(2)} * var(--mq-title))/${face.lead + 0.03} '${face.family}',serif;${face.caps ? "text-transform:uppercase" : ""}">${esc(f.title)}</h2>
      <p class="mq-facts">${factLine({ ...f, genres: null })}</p>
      ${said(f)}${d.odds ? `<p class="mq-small">${esc(d.odds)}</p>` : ""}
      <div class="mq-acts" role="group" aria-label="What you think of it"></div></div></div>
    <dl class="mq-people"><div><dt>Genres</dt><dd>${esc(kinds(f) || "none named")}</dd></div>${people}</dl><section class="mq-tmdb" data-about="${+f.id}" hidden></section>
    <div class="mq-why"><section><h3>Why it is here</h3><p class="mq-unused mq-small" role="status" hidden></p>${d.reasons.length ? bars(d.reasons, "Reasons and their weight") : `<p class="mq-small">The model gives no single reason for this film.</p>`}<p class="mq-small">${esc(d.how)}</p></section>
      <section><h3>What each model adds</h3>${bars(d.contributions, "Score points from each model")}<p class="mq-small">${esc(d.place)}</p><div class="mq-ask"></div></section></div>
    ${d.similar.length ? `<section class="mq-row mq-like"><header><h3 id="mq-like">Films like this one</h3></header>${trackHtml('aria-labelledby="mq-like"')}</section>` : ""}<p class="mq-small mq-kept">${esc(d.kept)}</p></article>`;
}

const unusedHtml = (films) =>
  `Not used: ${films.map((f) => `<span>${esc(f.title)} <button type="button" class="mq-link" data-do="reuse" data-other="${+f.id}" data-film="${+f.id}">Use it again</button></span>`).join(" ")}`;

function notUsed(el, films) {
  // films that no reasoning uses, each with its undo; drawn anew only where they changed
  const sign = JSON.stringify(films);
  if (el.mqSign === sign) return;
  el.mqSign = sign;
  el.hidden = !films.length;
  el.innerHTML = films.length ? unusedHtml(films) : "";
}

function answer(el, d) {
  // the question that a click asks, and what was found
  const sign = JSON.stringify([d.film.id, d.asked, d.question, d.unused]);
  if (el.mqSign === sign) return;
  el.mqSign = sign;
  if (!d.question) el.innerHTML = "";
  else if (!d.asked) el.innerHTML = `<button type="button" class="mq-do" data-do="ask">${esc(d.question)}</button>`;
  else {
    el.innerHTML = `<h3 tabindex="-1">${esc(d.question)}</h3>${d.asked.length ? `<ul>${d.asked.map((line) => `<li>${esc(line)}</li>`).join("")}</ul>` : `<p class="mq-small">Nothing was found.</p>`}`;
    el.firstElementChild.focus({ preventScroll: true });
  }
}

const actsHtml = (d) =>
  MARKS.map(
    ([mark, sign, text]) =>
      `<button type="button" class="mq-do" data-do="mark" data-mark="${mark}" aria-pressed="${d.mark === mark}">${icon(sign)}${text}</button>`,
  ).join("") +
  `<button type="button" class="mq-do" data-do="list" aria-pressed="${!!d.listed}">${icon(d.listed ? "check" : "plus")}Watch-list</button><button type="button" class="mq-do" data-do="hide" aria-pressed="${!!d.hidden}">${icon("hide")}${d.hidden ? "Hidden" : "Hide"}</button><button type="button" class="mq-do" data-do="watched" aria-pressed="${!!d.watched}">${icon("check")}Watched</button>${starsHtml(d.stars)}`;

const starsSaid = (n) => (n ? `${n} star${n === 1 ? "" : "s"}` : "no stars");
const starsHtml = (stars) =>
  `<label class="mq-stars"><input type="range" min="0" max="5" step="0.5" value="${+stars || 0}" style="--mq-stars:${+stars || 0}" aria-label="Your stars" aria-valuetext="${starsSaid(+stars || 0)}"><output>${stars ? `★ ${+stars}` : "Rate it"}</output></label>`;

function starred(block, rate) {
  // a slider drawn as stars
  const input = block.querySelector(".mq-stars input");
  const said = () => {
    input.style.setProperty("--mq-stars", input.value);
    input.setAttribute("aria-valuetext", starsSaid(+input.value));
    input.nextElementSibling.textContent = +input.value ? `★ ${+input.value}` : "Rate it";
  };
  if (input) sliding(block, input, said, rate);
}

function film({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  const shown = JSON.stringify([data.film, data.reasons, data.place, data.odds]),
    swapped = root.mqFilm != null && root.mqFilm !== data.film.id;
  if (root.mqSign !== shown) {
    root.innerHTML = filmHtml(data);
    root.mqSign = shown;
    root.mqFilm = data.film.id;
    const like = root.querySelector(".mq-like");
    if (like) lane(like);
    notes(root.firstElementChild);
    if (swapped) {
      root.closest('[role="dialog"]')?.scrollTo({ top: 0 });
      root.scrollIntoView({ block: "nearest" });
      if (!calm()) root.firstElementChild.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: 320 });
      const title = root.querySelector("h2");
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    }
  }
  const acts = root.querySelector(".mq-acts"),
    sign = JSON.stringify([data.mark, data.stars, data.listed, data.hidden, data.watched]);
  if (acts.mqSign !== sign && !acts.mqHeld) {
    const at = [...acts.children].indexOf(document.activeElement),
      rating = document.activeElement?.closest(".mq-stars");
    acts.innerHTML = actsHtml(data);
    acts.mqSign = sign;
    starred(acts, (stars) => act({ do: "rate", film: data.film.id, stars: stars || null }));
    if (at >= 0) acts.children[at].focus({ preventScroll: true });
    else if (rating) acts.querySelector(".mq-stars input").focus({ preventScroll: true });
  }
  notUsed(root.querySelector(".mq-unused"), data.unused);
  answer(root.querySelector(".mq-ask"), data);
  const similar = root.querySelector(".mq-track");
  if (similar) fill(similar, data.similar, data.taste);
  root.onkeydown = roam(root);
  root.onclick = (e) => {
    const on = e.target.closest("[data-do],.mq-card");
    if (!on) return;
    if (on.classList.contains("mq-card")) act({ do: "open", film: +on.dataset.film });
    else act({ do: on.dataset.do, film: data.film.id, other: +on.dataset.other || null, mark: on.dataset.mark && on.getAttribute("aria-pressed") !== "true" ? on.dataset.mark : null });
  };
}
