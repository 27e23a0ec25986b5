// For you: search and genres, the banner, how the rows were made, then the rows (or what a search found).

const homeHtml = `<div class="mq-tools" role="search"><label class="mq-search">${icon("find")}<input type="search" placeholder="Films, directors, actors" aria-label="Search films and people" autocomplete="off" spellcheck="false" maxlength="80"><button type="button" class="mq-clear" aria-label="Clear the search" hidden>${icon("close")}</button></label><button type="button" class="mq-do mq-lot" data-do="lot" title="A film by lot, from those that fit">${icon("dice")}<span>Surprise me</span></button>
  <div class="mq-genres" role="toolbar" aria-label="Genre"></div></div>
  <section class="mq-hero" aria-label="First on your bill" hidden></section><div class="mq-strip" hidden></div>
  <p class="mq-gone mq-small" hidden></p><p class="mq-gone mq-unused mq-small" role="status" hidden></p><p class="mq-changed" role="status" hidden></p><section class="mq-changes" role="status" aria-label="What changed" hidden></section><div class="mq-rows"></div>`;

function row(el, data) {
  const sign = JSON.stringify([data.title, data.why, data.model, data.name, data.simulated, data.source]);
  if (!el.firstChild) {
    el.innerHTML = `<header></header>${trackHtml("")}`;
    lane(el);
  }
  if (el.mqSign !== sign) {
    el.mqSign = sign;
    el.querySelector("header").innerHTML =
      `<h2 id="mq-row-${esc(data.key)}">${esc(data.title)}</h2><span class="mq-tag" title="${esc(data.name)}">${esc(data.model)}</span>${data.simulated ? `<span class="mq-tag mq-lit" title="Uses a signal drawn from a rule, not observed">simulated</span>` : ""}${data.source ? `<button type="button" class="mq-link mq-small" data-do="unuse" data-film="${+data.source}" aria-label="Do not use the film of this row">Don’t use this title</button>` : ""}<p>${esc(data.why)}</p>`;
    el.querySelector(".mq-track").setAttribute("aria-labelledby", `mq-row-${data.key}`);
  }
  return [el.querySelector(".mq-track"), data.films];
}

function rows(el, list, taste) {
  if (!el.firstChild) el.append(...(el.mqRows ?? [])); // they were away while a search was shown
  const known = new Map([...el.children].map((s) => [s.dataset.key, s]));
  const tracks = list.map((data, at) => {
    let section = known.get(data.key);
    if (!section) {
      section = document.createElement("section");
      section.className = "mq-row";
      section.dataset.key = data.key;
    }
    known.delete(data.key);
    if (el.children[at] !== section) el.insertBefore(section, el.children[at] ?? null);
    return row(section, data);
  });
  known.forEach((s) => s.remove());
  fills(tracks, taste);
  el.mqRows = [...el.children];
}

function found(el, data) {
  // a page of cards instead of rows
  let section = el.querySelector('[data-key="found"]');
  if (!section) {
    el.innerHTML = `<section class="mq-row mq-found" data-key="found"><header><h2 id="mq-found"></h2><p></p></header><ul class="mq-cards mq-page" aria-labelledby="mq-found"></ul></section>`;
    section = el.firstElementChild;
  }
  section.querySelector("h2").textContent = data.found.title;
  section.querySelector("p").textContent = data.found.line;
  fill(section.querySelector("ul"), data.found.films, data.taste);
}

const nothing = (e) =>
  `<div class="mq-empty" data-key="empty"><div class="mq-sign mq-off"><b>${esc(e.sign)}</b></div><h2>${esc(e.title)}</h2><p>${esc(e.line)}</p>${e.undo ? `<button type="button" class="mq-do" data-do="${esc(e.undo.do)}">${esc(e.undo.label)}</button>` : ""}</div>`;

function home({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  if (!root.firstChild) {
    root.classList.add("mq-home");
    root.innerHTML = homeHtml;
    notes(root);
    root.onkeydown = roam(root);
    wireSearch(root);
  }
  root.mqAct = act;
  globalThis.marqueeKit.rows = true; // a picker that is drawn now follows a viewer who leaves
  root.onclick = (e) => {
    const on = e.target.closest("[data-genre],[data-do],.mq-card");
    if (!on) return;
    if (on.dataset.genre != null) act({ do: "genre", genre: on.dataset.genre || null });
    else if (on.dataset.do === "clear") wipe(root);
    else if (on.dataset.do === "undo") act({ do: "undo", id: on.dataset.id });
    else {
      const row = on.closest(".mq-row"),
        what = on.dataset.do ?? "open";
      if (what === "open") root.mqFrom = { film: +on.dataset.film, row: row?.dataset.key, at: row ? cardsOf(row).indexOf(on) : -1 };
      act({ do: what, film: +on.dataset.film || null, row: row?.dataset.key ?? data.rows[0]?.key ?? null });
    }
  };
  const $ = (s) => root.querySelector(s),
    input = $("input");
  if (document.activeElement !== input && input.value !== data.words) input.value = input.mqSent = data.words;
  $(".mq-clear").hidden = !input.value;
  genres($(".mq-genres"), data);
  hero($(".mq-hero"), data.hero, data.taste, data.bill);
  strip($(".mq-strip"), data.strategy);
  const gone = $(".mq-gone");
  gone.hidden = !data.hidden || !!data.empty;
  if (gone.mqCount !== data.hidden)
    gone.innerHTML = `${data.hidden === 1 ? "1 film" : `${+data.hidden} films`} hidden · <button type="button" class="mq-link" data-do="unhide">Show ${data.hidden === 1 ? "it" : "them"} again</button>`;
  gone.mqCount = data.hidden;
  notUsed($(".mq-unused"), data.unused);
  const changed = $(".mq-changed");
  if (changed.textContent !== (data.changed ?? "")) {
    changed.textContent = data.changed ?? "";
    changed.hidden = !data.changed;
    if (data.changed && !calm()) changed.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 500 });
  }
  changes($(".mq-changes"), data.changes);
  const before = $(".mq-rows"),
    kind = data.empty ? "empty" : data.found ? "found" : "rows",
    body = before.dataset.kind === kind && kind !== "empty" ? before : before.cloneNode();
  body.mqRows = before.mqRows;
  if (body !== before) before.replaceWith(body); // another page in the place of this one: nothing of it moves
  body.dataset.kind = kind;
  if (kind === "empty") body.innerHTML = nothing(data.empty);
  else if (kind === "found") found(body, data);
  else rows(body, data.rows, data.taste);
  if (root.mqFrom && !root.querySelector(`[data-film="${root.mqFrom.film}"]`)) neighbour(root);
}

function neighbour(root, tries = 40) {
  // the film of the closed dialog is gone: the focus goes to the card that took its place
  const from = root.mqFrom,
    lost = !document.activeElement || document.activeElement === document.body;
  if (!from || !root.isConnected || !tries) return;
  if (document.querySelector('[role="dialog"]') || !lost) {
    setTimeout(() => neighbour(root, tries - 1), 60);
    return;
  }
  root.mqFrom = null;
  const row = [...root.querySelectorAll(".mq-row")].find((r) => r.dataset.key === from.row),
    cards = row ? cardsOf(row) : [];
  (cards[Math.min(from.at, cards.length - 1)] ?? root.querySelector(".mq-hero:not([hidden]) .mq-first") ?? root.querySelector(".mq-card"))?.focus({ preventScroll: true });
}
