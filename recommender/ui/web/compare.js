// Two to four lists side by side, with lines from rank to rank; and two lists without their names, to vote on.

function columns({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  root.mqData = data;
  root.mqAct = act;
  if (!root.firstChild) {
    root.classList.add("mq-cmp");
    root.innerHTML = `<div class="mq-cmp-grid"></div>`;
    cmpWire(root);
  }
  const grid = root.firstChild,
    known = new Map([...grid.children].map((el) => [el.dataset.part, el]));
  grid.style.setProperty("--lists", data.lists.length);
  grid.style.setProperty("--rows", Math.max(1, ...data.lists.map((l) => l.n)));
  const part = (name, tag, at, row) => {
    const el = known.get(name) ?? document.createElement(tag);
    known.delete(name);
    el.dataset.part = name;
    el.style.gridColumn = at;
    el.style.gridRow = row;
    if (!el.isConnected) grid.append(el);
    return el;
  };
  data.lists.forEach((list, n) => {
    const at = 2 * n + 1;
    cmpHead(part(`head-${list.slot}`, "header", at, 1), data, n);
    cmpList(part(`list-${list.slot}`, "ol", at, 2), data, n);
    if (n) cmpLines(part(`lines-${data.lists[n - 1].slot}-${list.slot}`, "div", at - 1, 2), data, n - 1);
  });
  known.forEach((el) => el.remove());
  cmpFocus(root);
}

// -- the head of a column: which list, what was moved, what it is like --------------------------------------------------

function cmpHead(el, data, n) {
  const list = data.lists[n],
    sign = JSON.stringify([list, data.options, data.lists.length, data.lists.map((l) => l.figures)]);
  if (el.mqSign === sign) return;
  el.mqSign = sign;
  const held = el.contains(document.activeElement) ? document.activeElement.dataset.do : null,
    root = el.closest(".mq");
  root.mqMore ??= innerWidth > 600; // on a telephone the films come first
  const options = data.options.map(([value, name]) => `<option value="${esc(value)}"${value === list.model ? " selected" : ""}>${esc(name)}</option>`).join("");
  const off = n > 1 ? `<button type="button" class="mq-cmp-x" data-do="remove" aria-label="Take away list ${esc(list.letter)}">${icon("close")}</button>` : "";
  const keep = list.kept
    ? `<span class="mq-tag mq-lit">on your Home page</span>`
    : list.keep
      ? `<button type="button" class="mq-link mq-cmp-keep" data-do="keep">${esc(list.keep)}</button>`
      : "";
  el.dataset.slot = list.slot;
  el.innerHTML = `<div class="mq-cmp-name"><b>${esc(list.letter)}</b><label class="mq-name" for="mq-cmp-${esc(list.slot)}">List ${esc(list.letter)}</label><span class="mq-cmp-pickone"><span aria-hidden="true">${esc(list.code)}</span><select id="mq-cmp-${esc(list.slot)}" data-do="pick">${options}</select></span>${off}</div>
    <h2>${esc(list.name)}</h2><p class="mq-cmp-chips">${list.chips.map((c) => `<i class="mq-tag${c.lit ? " mq-lit" : ""}" title="${esc(c.why ?? "")}">${esc(c.say)}</i>`).join("")}</p>
    <details${root.mqMore ? " open" : ""}><summary>What it is like</summary><dl class="mq-cmp-figures">${list.figures.map((f, at) => cmpFigure(f, data, at)).join("")}</dl></details><p class="mq-cmp-kept">${keep}</p>`;
  if (held) el.querySelector(`[data-do="${held}"]`)?.focus({ preventScroll: true });
}

function cmpFigure(f, data, at) {
  const most = Math.max(1e-9, ...data.lists.map((l) => l.figures[at]?.x ?? 0));
  const bar = f.x == null ? "" : `<s aria-hidden="true"><u style="width:${n1((100 * f.x) / most)}%"></u></s>`;
  return `<div title="${esc(f.why)}"><dt>${esc(f.name)}</dt><dd>${esc(f.say)}</dd>${bar}</div>`;
}

// -- the films of a column ---------------------------------------------------------------------------------------------

function cmpList(ol, data, n) {
  const list = data.lists[n],
    known = new Map([...ol.children].map((li) => [li.mqFilm?.id, li])),
    was = spots(ol),
    held = ol.contains(document.activeElement) ? document.activeElement : null;
  ol.setAttribute("aria-label", `List ${list.letter}, ${list.name}`);
  ol.dataset.at = n;
  const films = data.films.filter((f) => f.ranks[n]).sort((a, b) => a.ranks[n] - b.ranks[n]);
  films.forEach((film, at) => {
    let li = known.get(film.id);
    known.delete(film.id);
    if (!li) {
      li = document.createElement("li");
      li.dataset.film = film.id;
      li.innerHTML = `<button type="button" class="mq-cmp-film" tabindex="-1"><span class="mq-rank" aria-hidden="true"></span><span class="mq-poster" aria-hidden="true"></span><span class="mq-cmp-told"></span></button>`;
      nearby.observe(li);
    }
    li.mqFilm = film;
    const sign = JSON.stringify([film, n, data.lists.length]);
    if (li.mqSign !== sign) {
      li.mqSign = sign;
      li.className = `${cmpWay(film)}${film.hit ? " mq-hit" : ""}`;
      li.querySelector(".mq-rank").textContent = film.ranks[n];
      li.querySelector(".mq-cmp-told").innerHTML = cmpTold(film, data, n);
      li.firstChild.setAttribute("aria-label", cmpSpoken(film, data, n));
    }
    if (ol.children[at] !== li) ol.insertBefore(li, ol.children[at] ?? null);
  });
  known.forEach((li) => {
    nearby.unobserve(li);
    li.remove();
  });
  if (!films.length) ol.innerHTML = `<li class="mq-cmp-none"><p>${esc(list.empty)}</p></li>`;
  if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
  const buttons = [...ol.querySelectorAll(".mq-cmp-film")];
  if (buttons.length && !buttons.some((b) => b.tabIndex === 0)) buttons[0].tabIndex = 0;
  glide(ol, was);
}

const cmpOn = (film) => film.ranks.filter(Boolean).length;
const cmpWay = (film) => (cmpOn(film) === film.ranks.length ? "mq-all" : cmpOn(film) > 1 ? "mq-some" : "mq-alone");

function cmpTold(film, data, n) {
  const others = film.ranks
    .map((rank, m) => [rank, m])
    .filter(([rank, m]) => rank && m !== n)
    .map(([rank, m]) => `<i><b>${esc(data.lists[m].letter)}</b>${+rank}</i>`)
    .join("");
  const where = others || `<em>only here</em>`;
  const hit = film.hit ? `<strong class="mq-cmp-hit">${icon("check")}you gave it ${(+film.hit).toFixed(1)}</strong>` : "";
  return `<b>${esc(film.title)}</b><small>${[film.year || "", film.stars == null ? "" : `★ ${(+film.stars).toFixed(1)}`].filter(Boolean).map(esc).join(" · ")}</small>${hit}<span class="mq-cmp-at">${where}</span>`;
}

function cmpSpoken(film, data, n) {
  const others = film.ranks.map((rank, m) => (rank && m !== n ? `number ${rank} in list ${data.lists[m].letter}` : "")).filter(Boolean);
  const hit = film.hit ? ` Hidden, and you gave it ${film.hit} stars.` : "";
  return `Number ${film.ranks[n]}: ${[film.title, film.year].filter(Boolean).join(", ")}. ${others.length ? `Also ${others.join(", ")}.` : "Only in this list."}${hit}`;
}

// -- lines between neighbours --------------------------------------------------------------------------------------------

function cmpLines(el, data, n) {
  if (!el.firstChild) el.innerHTML = `<svg preserveAspectRatio="none" aria-hidden="true" focusable="false"></svg>`;
  el.className = "mq-cmp-lines";
  const svg = el.firstChild,
    rows = Math.max(1, ...data.lists.map((l) => l.n)),
    known = new Map([...svg.children].map((p) => [p.dataset.film, p]));
  svg.setAttribute("viewBox", `0 0 100 ${rows}`);
  data.films
    .filter((f) => f.ranks[n] && f.ranks[n + 1])
    .forEach((film) => {
      const [a, b] = [film.ranks[n] - 0.5, film.ranks[n + 1] - 0.5],
        d = `M0 ${a}C50 ${a} 50 ${b} 100 ${b}`;
      curve(svg, known, film.id, d, cmpWay(film));
    });
  known.forEach((path) => path.remove());
}

// -- mouse and keyboard --------------------------------------------------------------------------------------------------

function cmpWire(root) {
  const light = (id) => {
    // the film under the pointer or the keyboard keeps its light in every column, the others dim
    root.classList.toggle("mq-lit-one", !!id);
    root.querySelectorAll("[data-film]").forEach((el) => el.classList.toggle("mq-lit", el.dataset.film === id));
  };
  root.onpointerover = (e) => e.pointerType === "mouse" && light(e.target.closest("[data-film]")?.dataset.film);
  root.onpointerleave = () => light();
  root.addEventListener("focusin", (e) => e.target.matches(".mq-cmp-film:focus-visible") && light(e.target.parentElement.dataset.film));
  root.addEventListener("focusout", () => light());
  const more = (e) => {
    // what one list is like says something beside the others: all open, or none
    root.mqMore = e.target.open;
    root.querySelectorAll("details").forEach((d) => {
      d.open = root.mqMore;
    });
  };
  root.addEventListener("toggle", more, true);
  root.onchange = (e) => {
    if (e.target.dataset.do === "pick") root.mqAct({ do: "pick", slot: e.target.closest("header").dataset.slot, model: e.target.value });
  };
  root.onclick = (e) => {
    const film = e.target.closest(".mq-cmp-film"),
      on = e.target.closest("[data-do]");
    if (film) root.mqAct({ do: "open", film: +film.parentElement.dataset.film, list: +film.closest("ol").dataset.at });
    else if (on && on.dataset.do !== "pick") root.mqAct({ do: on.dataset.do, slot: on.closest("header").dataset.slot });
  };
  root.onkeydown = (e) => {
    const here = e.target.closest(".mq-cmp-film");
    if (!here || e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[a-z]$/i.test(e.key)) {
      e.stopPropagation();
      return;
    } // single letters are shortcuts of the page around us
    const to = cmpStep(root, here, e.key);
    if (!/^(Arrow|Home$|End$)/.test(e.key)) return;
    e.preventDefault();
    if (!to) return;
    to.closest("ol")
      .querySelectorAll(".mq-cmp-film")
      .forEach((b) => {
        b.tabIndex = b === to ? 0 : -1;
      });
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest", inline: "nearest", behavior: calm() ? "auto" : "smooth" });
  };
}

function cmpStep(root, here, key) {
  // up and down in a list; left and right to the same film in the next list, or to the same place
  const lists = [...root.querySelectorAll("ol")].sort((a, b) => a.dataset.at - b.dataset.at),
    ol = here.closest("ol"),
    mine = [...ol.querySelectorAll(".mq-cmp-film")],
    at = mine.indexOf(here);
  if (key === "Home") return mine[0];
  if (key === "End") return mine.at(-1);
  if (/Up|Down/.test(key)) return mine[at + (key === "ArrowDown" ? 1 : -1)];
  const next = lists[lists.indexOf(ol) + (key === "ArrowRight" ? 1 : -1)],
    theirs = next ? [...next.querySelectorAll(".mq-cmp-film")] : [];
  return theirs.find((b) => b.parentElement.dataset.film === here.parentElement.dataset.film) ?? theirs[Math.min(at, theirs.length - 1)];
}

function cmpFocus(root) {
  // what was under the keyboard may have left the page: its light goes with it
  if (!root.querySelector(".mq-cmp-film:focus-visible") && !root.matches(":hover")) root.classList.remove("mq-lit-one");
}

// -- the blind vote --------------------------------------------------------------------------------------------------------

function ballot({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  root.classList.add("mq-vote");
  root.mqAct = (what) => act({ ...what, token: data.token });
  const sign = JSON.stringify(data);
  if (root.mqSign === sign) return;
  if (root.mqToken !== data.token) root.mqTicks = new Set();
  root.mqToken = data.token;
  root.mqSign = sign;
  root.innerHTML = data.mode === "one" ? voteOne(data) : voteTwo(data);
  root.querySelectorAll("li").forEach((li, at) => {
    li.mqFilm = data.lists.flat()[at];
    nearby.observe(li);
  });
  root.onclick = (e) => {
    const on = e.target.closest("button");
    if (!on) return;
    if (on.dataset.tick != null) voteTick(root, on);
    else if (on.dataset.do === "count") root.mqAct({ do: "vote", ticked: [...root.mqTicks].sort((a, b) => a - b) });
    else if (on.dataset.do === "pick") root.mqAct({ do: "vote", pick: on.dataset.pick === "" ? null : +on.dataset.pick });
  };
  root.onkeydown = (e) => {
    if (e.target.closest("button") && /^[a-z]$/i.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey) e.stopPropagation();
  };
}

const voteFacts = (film) => `<span class="mq-cmp-told"><b>${esc(film.title)}</b><small>${[film.year || "", kinds(film)].filter(Boolean).map(esc).join(" · ")}</small></span>`;

function voteTwo(data) {
  const sides = data.lists.map((films, n) => {
    const name = data.names?.[n],
      won = data.picked === n;
    return `<section class="${won ? "mq-won" : ""}"><header><small>${n ? "Right" : "Left"}</small><h2>${name ? esc(name) : n ? "The other list" : "One list"}</h2>${won ? `<i class="mq-tag mq-lit">your choice</i>` : ""}</header>
      <ol aria-label="${n ? "Right" : "Left"} list">${films.map((f, at) => `<li><span class="mq-rank">${at + 1}</span><span class="mq-poster" aria-hidden="true"></span>${voteFacts(f)}</li>`).join("")}</ol></section>`;
  });
  const ask = data.names
    ? ""
    : `<div class="mq-vote-ask" role="group" aria-label="Which list would you rather watch?"><button type="button" class="mq-do mq-first" data-do="pick" data-pick="0">${icon("left")}Left</button><button type="button" class="mq-do" data-do="pick" data-pick="">No difference</button><button type="button" class="mq-do mq-first" data-do="pick" data-pick="1">Right${icon("right")}</button></div>`;
  return `<div class="mq-vote-two">${sides.join("")}</div>${ask}`;
}

function voteOne(data) {
  const cells = data.lists[0].map((f, at) => {
    const team = data.teams?.[at],
      on = data.names ? data.ticked?.includes(at) : false;
    const brought = data.names ? `<em class="mq-team-${+team}">${esc(data.names[team])}</em>` : "";
    return `<li class="${data.names ? `mq-team-${+team}` : ""}"><button type="button" class="mq-vote-film" ${data.names ? "disabled" : `data-tick="${at}"`} aria-pressed="${on}"><span class="mq-poster" aria-hidden="true"><i class="mq-badge">${icon("check")}</i></span>${voteFacts(f)}${brought}</button></li>`;
  });
  const ask = data.names ? "" : `<div class="mq-vote-ask"><button type="button" class="mq-do mq-first" data-do="count">None of these</button></div>`;
  return `<ol class="mq-vote-one" aria-label="One list made of both">${cells.join("")}</ol>${ask}`;
}

function voteTick(root, on) {
  const at = +on.dataset.tick,
    ticked = !root.mqTicks.has(at);
  root.mqTicks[ticked ? "add" : "delete"](at);
  on.setAttribute("aria-pressed", ticked);
  const n = root.mqTicks.size;
  root.querySelector('[data-do="count"]').textContent = n ? `I would watch ${n === 1 ? "this one" : `these ${n}`}` : "None of these";
}
