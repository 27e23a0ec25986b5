// The banner: the first film of the first row, its picture at full width and its title in its own lettering.

function hero(el, film, taste, why) {
  el.hidden = !film;
  const listed = film && taste.list?.includes(film.id),
    sign = JSON.stringify([film, listed, why]);
  if (!film || el.mqSign === sign) return;
  const fresh = el.mqFilm !== film.id,
    had = el.mqFilm != null;
  el.mqSign = sign;
  el.mqFilm = film.id;
  if (fresh) {
    const { svg, face, p } = scene(film, 900, 460, 640, 205),
      f = FACES[face],
      size = Math.min(2.9, 17 / Math.max(3.2, Math.max(...film.title.split(/\s+/).map((w) => width(w, face))), width(film.title, face) / 2.2));
    el.style.setProperty("--mq-ground", p.bottom);
    el.innerHTML = `<div class="mq-scene">${svg}</div><div class="mq-shade"></div><div class="mq-lead"></div>`;
    el.mqTitle = `style="font:${f.style ?? "normal"} ${f.weight ?? 400} calc(${size.toFixed(2)} * var(--mq-title))/${f.lead + 0.02} '${f.family}',serif;${f.caps ? "text-transform:uppercase" : ""}"`;
    if (had && !calm()) el.firstElementChild.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 600 });
  }
  el.querySelector(".mq-lead").innerHTML =
    `<p class="mq-eyebrow"><span class="mq-bulb"></span>${esc(why || "First on your bill")}</p><h1 ${el.mqTitle}>${esc(film.title)}</h1>
    <p class="mq-facts">${factLine(film)}</p>
    ${said(film)}
    <p class="mq-acts"><button type="button" class="mq-do mq-first" data-do="open" data-film="${+film.id}">${icon("find")}Why this?</button><button type="button" class="mq-do" data-do="list" data-film="${+film.id}" aria-pressed="${!!listed}">${icon(listed ? "check" : "plus")}${listed ? "On your watch-list" : "Watch-list"}</button></p>`;
}
