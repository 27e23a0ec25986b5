// The lists of the Taste page: films with a way back, the history by day; and what an import would bring.

const clock = (at) => new Date(at * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const dayOf = (at) => {
  const day = new Date(at * 1000),
    days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 864e5);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : day.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
};
const listArt = (film) => `<span class="mq-poster" aria-hidden="true">${poster(film)}</span>`;

function shelf({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq"),
    sign = JSON.stringify(data);
  root.mqAct = act;
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  const held = root.contains(document.activeElement) ? listPlace(root) : null;
  root.classList.add("mq-shelf");
  const tab = ([key, name, n]) =>
    `<button type="button" role="tab" class="mq-chip" data-do="tab" data-tab="${key}" aria-selected="${key === data.tab}" tabindex="${key === data.tab ? 0 : -1}">${esc(name)}${n ? ` <b>${+n}</b>` : ""}</button>`;
  const body = data.empty
    ? `<div class="mq-shelf-none"><b>${esc(data.empty.title)}</b><p>${esc(data.empty.line)}</p></div>`
    : data.tab === "history"
      ? shelfDays(data.lines)
      : `<ul class="mq-shelf-films">${data.films.map((f) => shelfFilm(f, data)).join("")}</ul>`;
  const clicks = data.clicks ? `<button type="button" class="mq-link" data-do="clicks" aria-pressed="${data.clicks.on}">${data.clicks.on ? "Without what you opened" : `Show ${esc(data.clicks.say)}`}</button>` : "";
  root.innerHTML = `<div class="mq-shelf-tabs" role="tablist" aria-label="Lists">${data.tabs.map(tab).join("")}</div>
    <div class="mq-shelf-head"><p class="mq-small">${esc(data.says)}</p>${data.all ? `<button type="button" class="mq-link" data-do="all">${esc(data.all)}</button>` : ""}${clicks}</div>
    <div role="tabpanel">${body}</div>${data.left ? `<button type="button" class="mq-do mq-shelf-more" data-do="more">${Math.min(30, data.left)} more of ${+data.left}</button>` : ""}`;
  root.onclick = (e) => {
    const on = e.target.closest("[data-do]");
    if (on) root.mqAct({ do: on.dataset.do, film: +on.dataset.film || null, id: on.dataset.id, tab: on.dataset.tab });
  };
  root.onkeydown = (e) => {
    const tabs = e.target.closest("[role=tablist]");
    if (tabs) walk(e, [...tabs.children], e.target);
    else if (/^[a-z]$/i.test(e.key) && !e.ctrlKey && !e.metaKey) e.stopPropagation();
  };
  if (held) listHold(root, held);
}

const listPlace = (root) => ({ data: { ...document.activeElement.dataset }, at: [...root.querySelectorAll("button")].indexOf(document.activeElement) });
function listHold(root, held) {
  // the focus stays with its button; where that is gone, with the one that took its place
  const buttons = [...root.querySelectorAll("button")],
    same = buttons.find((b) => ["do", "film", "id", "tab", "place"].every((key) => b.dataset[key] === held.data[key]));
  (same ?? buttons[Math.min(held.at, buttons.length - 1)])?.focus({ preventScroll: true });
}

function shelfFilm(f, data) {
  const told = [f.year || "", f.certificate, runtime(f), f.said, f.at ? `since ${dayOf(f.at).replace("Today", "today").replace("Yesterday", "yesterday")}` : ""].filter(Boolean);
  return `<li><button type="button" class="mq-shelf-open" data-do="open" data-film="${+f.id}">${listArt(f)}<span><b>${esc(f.title)}</b><small>${told.map(esc).join(" · ")}</small></span></button><button type="button" class="mq-do" data-do="off" data-film="${+f.id}" aria-label="${esc(data.off)}: ${esc(f.title)}">${esc(data.off)}</button></li>`;
}

const STATES = { replaced: "replaced since", "taken back": "taken back" };
function shelfDays(lines) {
  const days = new Map();
  lines.forEach((l) => days.set(dayOf(l.at), [...(days.get(dayOf(l.at)) ?? []), l]));
  return [...days].map(([day, of]) => `<section class="mq-day"><h3>${esc(day)}</h3><ul>${of.map(shelfLine).join("")}</ul></section>`).join("");
}

function shelfLine(l) {
  const state = STATES[l.state] ? `<i class="mq-tag">${STATES[l.state]}</i>` : "",
    from = l.row ? ` <small>from “${esc(l.row)}”</small>` : "";
  const what = l.film
    ? `<button type="button" class="mq-shelf-open" data-do="open" data-film="${+l.film.id}">${listArt(l.film)}<span><b>${esc(l.film.title)}</b><small>${+l.film.year || ""}</small></span></button>`
    : `<span class="mq-shelf-open"><span class="mq-shelf-sign" aria-hidden="true">${icon("check")}</span><span><b>${esc(l.text)}</b></span></span>`;
  const undo = l.undo ? `<button type="button" class="mq-do" data-do="undo" data-id="${esc(l.id)}" aria-label="Undo: ${esc(l.text)}${l.film ? `, ${esc(l.film.title)}` : ""}">Undo</button>` : "";
  return `<li class="mq-line-${l.state.replace(" ", "-")}"><time>${clock(l.at)}</time>${what}<p>${l.film ? esc(l.text) : ""}${from} ${state}</p>${undo}</li>`;
}

// -- what an import would bring ------------------------------------------------------------------------------------------

function arrivals({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq"),
    sign = JSON.stringify(data);
  root.mqAct = act;
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  root.classList.add("mq-arrivals");
  const held = root.contains(document.activeElement) ? listPlace(root) : null,
    opened = [...root.querySelectorAll("details[open]")].map((d) => d.dataset.key);
  const part = (key, title, n, body) =>
    n ? `<details data-key="${key}"${opened.includes(key) ? " open" : ""}><summary><b>${n.toLocaleString("en")}</b> ${esc(title)}</summary>${body}</details>` : "";
  const plain = (list, more) => `<ul class="mq-arrivals-plain">${list.map((t) => `<li>${esc(t)}</li>`).join("")}${more > 0 ? `<li>and ${more.toLocaleString("en")} more</li>` : ""}</ul>`;
  const faces = data.matched.map((f) => `<li title="${esc(f.title)} (${+f.year}): ${esc(f.said)}">${listArt(f)}<small>${esc(f.said)}</small></li>`).join("");
  root.innerHTML = `<header><small>${esc(data.from)}</small><h3>${esc(data.head)}</h3></header>
    <ul class="mq-arrivals-sums">${data.sums.map(([n, say]) => `<li><b>${n.toLocaleString("en")}</b><span>${esc(say)}</span></li>`).join("")}</ul>
    ${faces ? `<ul class="mq-arrivals-films" aria-label="Some of the films">${faces}</ul>` : ""}
    ${data.unclear.length ? `<section><h4>Which film is meant?</h4><p class="mq-small">Left open, a line brings nothing.</p><ul class="mq-arrivals-ask">${data.unclear.map(arrivalsAsk).join("")}</ul>${data.open ? `<button type="button" class="mq-do" data-do="more">${Math.min(30, data.open)} more of ${+data.open}</button>` : ""}</section>` : ""}
    ${part("absent", data.ends, data.absentN, plain(data.absent, data.absentN - data.absent.length))}${part("skipped", `${data.skippedN === 1 ? "line" : "lines"} that could not be read, or about no film`, data.skippedN, plain(data.skipped, data.skippedN - data.skipped.length))}`;
  root.onclick = (e) => {
    const on = e.target.closest("[data-do]");
    if (on) root.mqAct({ do: on.dataset.do, place: +on.dataset.place, film: on.dataset.film ? +on.dataset.film : null });
  };
  root.onkeydown = (e) => {
    const group = e.target.closest("[role=radiogroup]");
    if (group) walk(e, [...group.children], e.target.closest("button"));
  };
  if (held) listHold(root, held);
}

function arrivalsAsk(u) {
  const first = u.choices.findIndex((c) => c.on);
  const choice = (c, at) =>
    `<button type="button" role="radio" data-do="pick" data-place="${+u.place}" data-film="${+c.id}" aria-checked="${!!c.on}" tabindex="${at === Math.max(0, first) ? 0 : -1}">${listArt(c)}<span><b>${esc(c.title)}</b><small>${+c.year || ""}</small></span></button>`;
  return `<li><p><b>${esc(u.title)}</b> <small>${esc(u.said)}</small></p><div role="radiogroup" aria-label="Which film is ${esc(u.title)}?">${u.choices.map(choice).join("")}<button type="button" role="radio" class="mq-arrivals-none" data-do="pick" data-place="${+u.place}" aria-checked="${!!u.none}" tabindex="-1">None of these</button></div></li>`;
}
