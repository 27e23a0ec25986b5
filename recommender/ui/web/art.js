// Posters of TMDB over the drawn ones, and what it tells of the film of the dialog. The browser asks for the films it shows, and asks on only while
// more is to come; a picture that does not load leaves the drawing as it was.

const ART = { known: new Map(), told: new Map(), quiet: new Map(), asked: [], n: 0, waits: false, pause: 150, timer: 0, since: 0, root: null, ask: null, watch: null };
const ART_REST = 60_000, // ms: what could not be had is not asked for again before
  ART_LOST = 15_000; // ms after which an answer comes no more

function art({ data, parentElement, act }) {
  ART.root = parentElement;
  parentElement.querySelector(".mq").innerHTML = "<i hidden></i>"; // drawn: what stands below waits for nothing
  ART.ask = act;
  const before = ART.known.size + ART.told.size;
  Object.entries(data.pictures).forEach(([film, file]) => ART.known.set(+film, data.at + file));
  data.none.forEach((film) => ART.known.set(+film, null));
  if (data.about) ART.told.set(data.about.film, data.about);
  if (data.n === ART.n && ART.waits) {
    ART.waits = false;
    if (!data.coming) ART.asked.forEach((film) => ART.quiet.set(film, Date.now()));
    ART.pause = !data.coming ? 150 : ART.known.size + ART.told.size > before ? 600 : Math.min(5000, Math.max(600, ART.pause * 1.5));
  }
  if (!ART.watch) {
    ART.watch = new MutationObserver((changes) => {
      if (changes.some((c) => [...c.addedNodes].some((node) => node.nodeType === 1 && (node.matches(".mq-art,.mq-tmdb") || node.querySelector(".mq-art,.mq-tmdb"))))) artHang();
    });
    document.addEventListener("visibilitychange", artLater);
  }
  ART.watch.observe(document.body, { childList: true, subtree: true });
  artHang();
}

const artRests = (which) => Date.now() - ART.quiet.get(which) < ART_REST; // a film's picture, or by its number with a minus what is told of it
const artDrawn = () => [...document.querySelectorAll(".mq-poster > .mq-art[data-art]")];

function artWanted() {
  // films on the page of which nothing is known yet, those on the screen first
  const open = (film, known, sign = 1) => !known.has(film) && !artRests(sign * film);
  const films = [...new Set(artDrawn().map((svg) => +svg.dataset.art))].filter((film) => open(film, ART.known)),
    about = document.querySelector(".mq-tmdb[data-about]");
  return { films, about: about && open(+about.dataset.about, ART.told, -1) ? +about.dataset.about : null };
}

function artHang() {
  if (!ART.root?.isConnected) {
    ART.watch.disconnect(); // the key was forgotten, or nobody is watching
    return;
  }
  artDrawn().forEach((svg) => {
    const url = ART.known.get(+svg.dataset.art);
    if (url && !svg.parentElement.querySelector(":scope > .mq-photo")) svg.after((svg.mqPhoto ??= artPhoto(url, +svg.dataset.art)));
  });
  document.querySelectorAll(".mq-tmdb[data-about]").forEach(artTell);
  artLater();
}

function artPhoto(url, film) {
  // the name of the film stands beside it already
  const img = Object.assign(document.createElement("img"), { className: "mq-photo", alt: "", loading: "lazy", decoding: "async" });
  img.onload = () => img.classList.add("mq-on");
  img.onerror = () => {
    ART.known.set(film, null);
    img.remove();
  };
  img.src = url;
  return img;
}

function artLater() {
  // one question at a time; one whose answer got lost is asked again
  clearTimeout(ART.timer);
  const left = ART.waits ? ART.since + ART_LOST - Date.now() : 0,
    { films, about } = artWanted();
  if (!document.hidden && (films.length || about)) ART.timer = setTimeout(artAsk, Math.max(left, ART.pause));
}

function artAsk() {
  const { films, about } = artWanted();
  if (!ART.root?.isConnected || !(films.length || about)) return;
  ART.waits = true;
  ART.since = Date.now();
  ART.n += 1;
  ART.asked = [...films.slice(0, 300), -about].filter(Boolean);
  ART.ask({ n: ART.n, films: films.slice(0, 300), about });
  artLater();
}

function artTell(el) {
  // its place is kept from the moment the dialog opens, so that what stands below does not move
  const film = +el.dataset.about,
    told = ART.told.get(film);
  if (el.mqTold === (told ?? null) && !el.hidden) return;
  el.mqTold = told ?? null;
  const nothing = told ? !(told.overview || told.cast.length || told.minutes) : artRests(-film) || ART.known.get(film) === null;
  el.hidden = nothing;
  el.setAttribute("aria-busy", !told);
  el.innerHTML = nothing ? "" : told ? artTold(told) : `<p class="mq-small">Asking TMDB …</p>`;
}

function artTold(t) {
  const cast = t.cast.map(([name, part]) => `<li><b>${esc(name)}</b>${part ? `<span>${esc(part)}</span>` : ""}</li>`).join("");
  return `<h3>What it is about</h3>${t.overview ? `<p class="mq-tmdb-plot">${esc(t.overview)}</p>` : ""}${t.minutes ? `<p class="mq-small">Running time ${esc(runtime(t))}</p>` : ""}
    ${cast ? `<ul class="mq-tmdb-cast" aria-label="Cast and their parts">${cast}</ul>` : ""}
    <p class="mq-small mq-tmdb-by">${t.logo ? `<img src="${esc(t.logo)}" alt="TMDB" height="14"> ` : ""}<a href="https://www.themoviedb.org/movie/${+t.tmdb}" target="_blank" rel="noopener noreferrer">From TMDB</a> · ${esc(t.said)}</p>`;
}
