// The Taste page: groups and questions, cards that take stars, a taste beside the average viewer's, and the first row that follows.

// -- the first row, beside the controls --------------------------------------------------------------------------------

const firstHtml = `<section class="mq-now" aria-label="Your first row now"><header><h2></h2><p class="mq-small"></p></header><ul class="mq-cards mq-ten"></ul>
  <p class="mq-moved mq-small" role="status"><span></span></p><div class="mq-reasons" hidden></div></section>`;
const travel = (m) => (!m ? ["", ""] : m[0] == null ? ["new", "new"] : m[1] < m[0] ? ["up", `▲ ${m[0] - m[1]}`] : ["down", `▼ ${m[1] - m[0]}`]);

function firstRow({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  if (!root.firstChild) {
    root.innerHTML = firstHtml;
    root.onkeydown = roam(root);
  }
  const $ = (s) => root.querySelector(s);
  $("h2").textContent = data.title;
  $("header p").textContent = data.why;
  fill($("ul"), data.films, data.taste);
  [...$("ul").children].forEach((li, at) => {
    const [how, say] = travel(li.mqFilm.move);
    li.dataset.how = how;
    li.dataset.say = say;
    li.title = `${at + 1}. ${li.mqFilm.title}`;
  });
  const wide = matchMedia("(min-width: 1151px)").matches,
    wanted = data.wanted ?? wide; // beside the controls there is room for reasons; at the edge of a small screen they are asked for
  moved($(".mq-moved"), data);
  reasons($(".mq-reasons"), wanted ? data.panel : null);
  root.onclick = (e) => {
    const on = e.target.closest("[data-do],.mq-card");
    if (on) act({ do: on.dataset.do ?? "open", film: +on.dataset.film || null, on: !wanted });
  };

  function moved(el, d) {
    const sign = JSON.stringify([d.changed, d.moved, wanted]);
    if (el.mqSign === sign) return;
    const held = el.contains(document.activeElement) ? document.activeElement.dataset.do : null,
      fresh = el.mqSign !== undefined;
    el.mqSign = sign;
    el.innerHTML = d.changed
      ? `<b>${esc(d.changed)}.</b>${d.moved ? ` <button type="button" class="mq-link" data-do="why" aria-expanded="${wanted}">${wanted ? "Hide why" : "Why?"}</button>` : ""} <button type="button" class="mq-link" data-do="undo">Undo</button>`
      : `The first ${data.films.length}. They follow what you do here.`;
    if (held) el.querySelector(`[data-do="${held}"]`)?.focus({ preventScroll: true });
    if (fresh && d.changed && !calm()) el.animate([{ opacity: 0.2 }, { opacity: 1 }], { duration: 400 });
  }
  function reasons(el, panel) {
    const sign = JSON.stringify(panel ?? null);
    if (el.mqSign === sign) return;
    el.mqSign = sign;
    el.hidden = !panel;
    el.innerHTML = panel
      ? `<h3>What changed</h3><p>${esc(panel.head)}</p><ul>${panel.why.map((line) => `<li>${esc(line)}</li>`).join("")}</ul><details><summary>Film by film</summary><ul>${panel.films.map((f) => `<li>${esc(f.line)}</li>`).join("")}</ul></details>`
      : "";
  }
}

// -- groups and questions ----------------------------------------------------------------------------------------------

const AT_FIRST = 12; // groups that are drawn before "more"
const near4 = new IntersectionObserver(
  (seen) =>
    seen.forEach((e) => {
      if (!e.isIntersecting) return;
      near4.unobserve(e.target);
      e.target.innerHTML = e.target.mqFilms.map((f) => `<span class="mq-poster">${poster(f)}</span>`).join("");
    }),
  { rootMargin: "400px" },
);

const stepsHtml = (d) =>
  `<ol class="mq-steps">${[
    ["groups", "Kinds of film", d.picked ? `${d.picked} picked` : "pick some"],
    ["films", "A few films", d.answered ? `${d.answered} answered` : "say what you think"],
  ]
    .map(
      ([step, name, say], i) =>
        `<li><button type="button" data-step="${step}" ${d.step === step ? 'aria-current="step"' : ""}><i>${i + 1}</i><b>${name}</b><span>${esc(say)}</span></button></li>`,
    )
    .join("")}</ol>`;

function findTaste({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  if (root.mqStep !== data.step) {
    const came = root.mqStep !== undefined;
    root.mqStep = data.step;
    root.innerHTML = `<div class="mq-find"><div class="mq-find-top"></div><p class="mq-small mq-way"></p><div class="mq-find-body"></div></div>`;
    if (came) root.mqEnter = true;
  }
  const $ = (s) => root.querySelector(s),
    top = $(".mq-find-top"),
    sign = JSON.stringify([data.step, data.picked, data.answered]);
  if (top.mqSign !== sign) {
    const held = top.contains(document.activeElement) ? document.activeElement.dataset.step : null;
    top.mqSign = sign;
    top.innerHTML = stepsHtml(data);
    if (held) top.querySelector(`[data-step="${held}"]`)?.focus({ preventScroll: true });
  }
  if (data.step === "groups") kindsOf($(".mq-find-body"), data);
  else question($(".mq-find-body"), data, root);
  $(".mq-way").textContent = data.way;
  root.mqEnter = false;
  root.onclick = (e) => {
    const on = e.target.closest("[data-group],[data-step],[data-mark],[data-do]");
    if (!on) return;
    if (on.dataset.group != null) {
      on.setAttribute("aria-pressed", on.getAttribute("aria-pressed") !== "true");
      act({ do: "group", group: +on.dataset.group });
    } else if (on.dataset.step) act({ do: "step", step: on.dataset.step });
    else if (on.dataset.mark) answerWith(on);
    else if (on.dataset.do === "more") {
      root.querySelectorAll(".mq-kinds [hidden]").forEach((li) => {
        li.hidden = false;
      });
      root.mqAll = true;
      on.remove();
      root.querySelectorAll(".mq-kind")[AT_FIRST]?.focus({ preventScroll: true });
    } else act({ do: on.dataset.do });
  };
  root.onkeydown = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[a-z]$/i.test(e.key)) e.stopPropagation();
    const on = /^[1-4]$/.test(e.key) && root.querySelectorAll("[data-mark]")[+e.key - 1];
    if (on) {
      e.preventDefault();
      answerWith(on);
    }
  };
  function answerWith(on) {
    const card = on.closest(".mq-quiz");
    if (card.classList.contains("mq-busy")) return;
    card.classList.add("mq-busy");
    on.focus({ preventScroll: true });
    act({ do: "answer", film: +card.dataset.film, mark: on.dataset.mark });
  }
}

function kindsOf(el, d) {
  if (!el.firstChild) {
    const all = el.closest(".mq").mqAll;
    el.innerHTML = `<h2>What would you watch?</h2><p class="mq-small">Groups of films that the same people rated. A pick is a setting, not a rating: films near the group move up in your rows at once, and stay up until you tap it again.</p>
      <ul class="mq-kinds">${d.groups.map((g, i) => `<li ${i >= AT_FIRST && !all ? "hidden" : ""}><button type="button" class="mq-kind" data-group="${+g.number}" title="${esc(g.why)}"><span class="mq-fan" aria-hidden="true"></span><b>${esc(g.name)}</b><i aria-hidden="true">${icon("check")}</i></button></li>`).join("")}</ul>
      <div class="mq-find-acts">${d.groups.length > AT_FIRST && !all ? `<button type="button" class="mq-do" data-do="more">${d.groups.length - AT_FIRST} more</button>` : ""}<span></span><button type="button" class="mq-do" data-do="enough">That is enough</button><button type="button" class="mq-do mq-first" data-step="films">Next: a few films ${icon("right")}</button></div>`;
    el.querySelectorAll(".mq-kind").forEach((b, i) => {
      const fan = b.firstElementChild;
      fan.mqFilms = d.groups[i].films;
      near4.observe(fan);
    });
    if (el.closest(".mq").mqEnter) el.querySelector(".mq-kind").focus({ preventScroll: true });
  }
  el.querySelectorAll(".mq-kind").forEach((b) => b.setAttribute("aria-pressed", d.groups.some((g) => g.number === +b.dataset.group && g.on)));
}

const ANSWERS = [...MARKS, ["unseen", "hide", "Haven’t seen"]];
const settledHtml = (p) =>
  p == null
    ? ""
    : `<div class="mq-settled"><div role="progressbar" aria-label="Settled about your taste" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${Math.round(100 * p)}"><i></i></div><p><b>${Math.round(100 * p)}%</b> of what was open about your taste is settled</p></div>`;

function quizHtml(f, line) {
  const by = f.directors.length ? `Directed by ${esc(f.directors.join(", "))}` : "",
    cast = f.actors.length ? `With ${esc(f.actors.join(", "))}` : "";
  return `<article class="mq-quiz" data-film="${+f.id}"><div class="mq-poster">${poster(f)}</div><div class="mq-quiz-said"><h2>${esc(f.title)}</h2><p class="mq-facts">${factLine(f)}</p><p class="mq-small">${[by, cast].filter(Boolean).join("<br>")}</p>
    <div class="mq-answers" role="group" aria-label="What do you think of ${esc(f.title)}?">${ANSWERS.map(([mark, sign, text], i) => `<button type="button" class="mq-do" data-mark="${mark}">${icon(sign)}<span>${text}</span><kbd>${i + 1}</kbd></button>`).join("")}</div><p class="mq-small mq-quiz-why">${esc(line)}</p></div></article>`;
}

function question(el, d, root) {
  if (!el.firstChild)
    el.innerHTML = `<div class="mq-settled-place"></div><div class="mq-quiz-place" aria-live="polite"></div><div class="mq-find-acts"><button type="button" class="mq-do" data-step="groups">${icon("left")} Kinds of film</button><button type="button" class="mq-do" data-do="back">Take back</button><span></span><button type="button" class="mq-do mq-first" data-do="enough">That is enough</button></div>`;
  const place = el.querySelector(".mq-settled-place");
  if (place.mqAt !== d.progress) {
    const was = place.mqAt ?? d.progress;
    place.mqAt = d.progress;
    place.innerHTML = settledHtml(d.progress);
    const bar = place.querySelector("i");
    if (bar) {
      bar.style.width = `${100 * was}%`;
      requestAnimationFrame(() => requestAnimationFrame(() => (bar.style.width = `${100 * d.progress}%`)));
    }
  }
  el.querySelector('[data-do="back"]').disabled = !d.answered;
  const quiz = el.querySelector(".mq-quiz-place"),
    sign = JSON.stringify([d.film, d.line]);
  if (quiz.mqSign === sign) {
    quiz.firstElementChild?.classList.remove("mq-busy");
    return;
  }
  const fresh = quiz.mqSign !== undefined,
    held = quiz.contains(document.activeElement) ? document.activeElement.dataset.mark : root.mqEnter ? "love" : null;
  quiz.mqSign = sign;
  quiz.innerHTML = d.film ? quizHtml(d.film, d.line) : `<div class="mq-quiz mq-quiz-none"><p>${esc(d.line)}</p></div>`;
  if (held) (quiz.querySelector(`[data-mark="${held}"]`) ?? el.querySelector('[data-do="enough"]')).focus({ preventScroll: true });
  if (fresh && !calm())
    quiz.firstElementChild.animate(
      [
        { opacity: 0, transform: "translateX(28px)" },
        { opacity: 1, transform: "none" },
      ],
      { duration: 320, easing: "cubic-bezier(.2,.7,.2,1)" },
    );
}

// -- cards that take stars ---------------------------------------------------------------------------------------------

const rateHtml = `<div class="mq-rating"><div class="mq-rate-search" role="search"><label class="mq-search">${icon("find")}<input type="search" placeholder="A film, a director, an actor" aria-label="Search films and people to rate" autocomplete="off" spellcheck="false" maxlength="80"><button type="button" class="mq-clear" aria-label="Clear the search" hidden>${icon("close")}</button></label></div>
  <section class="mq-found-films" hidden><h2>Found</h2><p class="mq-small" role="status"></p><ul class="mq-slips"></ul></section>
  <p class="mq-removed mq-small" role="status" hidden></p>
  <section class="mq-own-films"><h2></h2><p class="mq-small"></p><ul class="mq-slips"></ul><div class="mq-find-acts"><button type="button" class="mq-do" data-do="more" hidden></button></div></section></div>`;

const sayOf = (f) => [f.year || "", f.certificate, f.unused ? "not used" : f.said].filter(Boolean).map(esc).join(" · ");
const smallDo = (f, what, sign, text, on) =>
  `<button type="button" class="mq-do" ${what} aria-pressed="${!!on}" aria-label="${text}: ${esc(f.title)}" title="${text}">${icon(sign)}</button>`;

function slipHtml(f, mine) {
  const off = mine
    ? f.unused
      ? `<button type="button" class="mq-link" data-do="reuse" aria-label="Use ${esc(f.title)} again">Use again</button>`
      : `<button type="button" class="mq-link" data-do="remove" aria-label="${f.own ? "Remove" : "Do not use"} ${esc(f.title)}">${f.own ? "Remove" : "Don’t use"}</button>`
    : "";
  return `<button type="button" class="mq-slip-art" data-do="open" aria-label="About ${esc(f.title)}"><span class="mq-poster"></span></button><div><b>${esc(f.title)}</b><span class="mq-slip-line mq-small"><span>${sayOf(f)}</span>${off}</span>${starsHtml(f.stars)}
    <div class="mq-slip-acts" role="group" aria-label="What you think of ${esc(f.title)}">${MARKS.map(([mark, sign, text]) => smallDo(f, `data-do="mark" data-mark="${mark}"`, sign, text, f.mark === mark)).join("")}${smallDo(f, 'data-do="list"', f.listed ? "check" : "plus", "Watch-list", f.listed)}${smallDo(f, 'data-do="hide"', "hide", "Hide", f.hidden)}</div></div>`;
}

function slips(list, films, mine, act) {
  const known = new Map([...list.children].map((li) => [li.mqFilm.id, li])),
    was = spots(list);
  films.forEach((f, at) => {
    const li = known.get(f.id) ?? document.createElement("li"),
      sign = JSON.stringify([f, mine]);
    known.delete(f.id);
    li.mqFilm = f;
    if (li.mqSign !== sign && !li.mqHeld) {
      const art = li.querySelector(".mq-art"),
        held = li.contains(document.activeElement) ? [...li.querySelectorAll("button,input")].indexOf(document.activeElement) : -1;
      li.mqSign = sign;
      li.className = `mq-slip${f.unused || f.hidden ? " mq-faint" : ""}`;
      li.innerHTML = slipHtml(f, mine);
      li.querySelector(".mq-stars input").setAttribute("aria-label", `Your stars for ${f.title}`);
      starred(li, (stars) => act({ do: "rate", film: f.id, stars: stars || null }));
      if (art) li.querySelector(".mq-poster").prepend(art);
      else nearby.observe(li);
      if (held >= 0) li.querySelectorAll("button,input")[held]?.focus({ preventScroll: true });
    }
    if (list.children[at] !== li) list.insertBefore(li, list.children[at] ?? null);
  });
  known.forEach((li) => {
    nearby.unobserve(li);
    li.remove();
  });
  glide(list, was);
}

function rateFilms({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  root.mqAct = act;
  if (!root.firstChild) {
    root.innerHTML = rateHtml;
    wireSearch(root);
  }
  const $ = (s) => root.querySelector(s),
    input = $(".mq-search input"),
    found = $(".mq-found-films"),
    own = $(".mq-own-films"),
    gone = $(".mq-removed"),
    more = own.querySelector('[data-do="more"]');
  if (document.activeElement !== input && input.value !== data.words) input.value = input.mqSent = data.words;
  $(".mq-clear").hidden = !input.value;
  found.hidden = !data.words;
  found.querySelector("p").textContent = data.line;
  slips(found.querySelector("ul"), data.found, false, act);
  gone.hidden = !data.removed;
  if (gone.mqFilm !== data.removed) {
    gone.mqFilm = data.removed;
    gone.innerHTML = data.removed ? `<b>${esc(data.removed)}</b> no longer counts. <button type="button" class="mq-link" data-do="again">Undo</button>` : "";
  }
  own.querySelector("h2").textContent = data.total ? `Your ratings (${data.total.toLocaleString("en")})` : "Your ratings";
  own.querySelector("p").textContent = data.total ? "Newest first. Stars and marks may be changed at any time." : "Nothing yet. Search for a film you know, and give it stars.";
  slips(own.querySelector("ul"), data.mine, true, act);
  more.hidden = !data.more;
  more.textContent = `${data.more} more`;
  root.onclick = (e) => {
    const on = e.target.closest("[data-do]");
    if (!on) return;
    const film = on.closest(".mq-slip")?.mqFilm.id ?? null;
    act({ do: on.dataset.do, film, mark: on.dataset.mark && on.getAttribute("aria-pressed") !== "true" ? on.dataset.mark : null });
  };
  root.onkeydown = (e) => {
    if (/^[a-z]$/i.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey) e.stopPropagation();
  };
}

// -- a taste beside the average viewer's -------------------------------------------------------------------------------

const share = (x) => `${(100 * x).toFixed(x < 0.0995 ? 1 : 0)}%`;
const points = (x) => (x > 0 ? `+${x}` : x < 0 ? `−${-x}` : "0");
const legendHtml = (n) =>
  `<p class="mq-keys mq-small"><span><i class="mq-dot"></i>yours, beyond chance</span><span><i class="mq-dot mq-hollow"></i>yours, within it</span><span><i class="mq-tick"></i>average viewer</span><span><i class="mq-grey"></i>95 of 100 who take ${n} film${n === 1 ? "" : "s"} from all ratings by chance</span></p>`;

function railHtml(r, reach) {
  const at = (x) => `${((100 * x) / (reach * 1.04)).toFixed(2)}%`,
    [low, high] = r.share == null ? [r.usual, r.usual] : [Math.min(r.share, r.usual), Math.max(r.share, r.usual)];
  return `<span class="mq-line" aria-hidden="true">${r.span ? `<s style="left:${at(r.span[0])};width:calc(${at(r.span[1])} - ${at(r.span[0])})"></s>` : ""}<q class="${r.share < r.usual ? "mq-minus" : ""}" style="left:${at(low)};width:calc(${at(high)} - ${at(low)})"></q><u style="left:${at(r.usual)}"></u>${r.share == null ? "" : `<i class="${r.share < r.usual ? "mq-minus" : ""}${r.sure || !r.span ? "" : " mq-hollow"}" style="left:${at(r.share)}"></i>`}</span>`;
}

function traitHtml(r, d) {
  const figures = r.share == null ? `<small>average ${share(r.usual)}</small>` : `${share(r.share)} <small>average ${share(r.usual)}</small>`,
    about = r.films ? `${r.films} film${r.films === 1 ? "" : "s"} · ★ ${r.stars.toFixed(1)}` : r.off ? "none of your films now" : "none of your films";
  const hand = d.steps
    ? `<label class="mq-nudge"><input type="range" min="-2" max="2" step="0.5" value="${+r.points}" data-f="nudge" aria-label="Fewer or more ${esc(r.label)}" aria-valuetext="${points(r.points)} points"><output>${points(r.points)}</output></label>`
    : d.aspect === "people"
      ? `<button type="button" class="mq-do mq-use" data-f="use" role="switch" aria-checked="${!r.off}" aria-label="Use ${esc(r.label)} as a reason">${r.off ? "Off" : "On"}</button>`
      : "";
  return `<div class="mq-trait-line"><button type="button" class="mq-trait-name" data-f="name" aria-expanded="${d.open === r.subject}" ${r.films ? "" : "disabled"}><b>${esc(r.label)}</b><span class="mq-small">${about}</span></button>${railHtml(r, d.reach)}<span class="mq-figures">${figures}</span>${hand}</div><div class="mq-evidence" hidden>${trackHtml(`aria-label="Your films: ${esc(r.label)}"`)}</div>`;
}

function portraitOf({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq");
  if (root.mqAspect !== data.aspect) {
    root.mqAspect = data.aspect;
    root.innerHTML = `<div class="mq-portrait"><p class="mq-small mq-portrait-said"></p><div></div><ul class="mq-traits"></ul><button type="button" class="mq-do mq-all" data-f="all" hidden></button></div>`;
    root.firstElementChild.dataset.aspect = data.aspect;
  }
  const $ = (s) => root.querySelector(s),
    list = $(".mq-traits"),
    more = $('[data-f="all"]');
  $(".mq-portrait-said").textContent = data.rows.length ? data.said : "Nobody yet: of no director or actor were two films rated.";
  const keys = $(".mq-portrait > div"),
    legend = data.n && data.aspect !== "people" ? legendHtml(data.n) : "";
  if (keys.mqSaid !== legend) keys.innerHTML = keys.mqSaid = legend;
  const known = new Map([...list.children].map((li) => [li.mqSubject, li]));
  data.rows.forEach((r, at) => {
    const li = known.get(r.subject) ?? document.createElement("li"),
      sign = JSON.stringify([r, data.reach, data.open === r.subject]);
    known.delete(r.subject);
    li.mqSubject = r.subject;
    if (li.mqSign !== sign && !li.mqHeld) {
      const held = li.contains(document.activeElement) ? document.activeElement.dataset.f : null;
      li.mqSign = sign;
      li.className = `mq-trait${r.off ? " mq-faint" : ""}${r.points ? " mq-set" : ""}${data.open === r.subject ? " mq-opened" : ""}`;
      li.innerHTML = traitHtml(r, data);
      nudged(li, (value) => act({ do: "nudge", aspect: data.aspect, subject: r.subject, points: value }));
      if (held) li.querySelector(`[data-f="${held}"]`)?.focus({ preventScroll: true });
    }
    const films = li.querySelector(".mq-evidence");
    films.hidden = data.open !== r.subject;
    if (!films.hidden) {
      if (!films.mqLane) lane(films);
      films.mqLane = true;
      fill(films.querySelector(".mq-track"), data.films, data.taste);
    }
    if (list.children[at] !== li) list.insertBefore(li, list.children[at] ?? null);
  });
  known.forEach((li) => li.remove());
  more.hidden = !data.more;
  more.textContent = `${data.more} more`;
  const walk = roam(root);
  root.onkeydown = (e) => {
    if (e.target.matches('input[type="range"]')) e.stopPropagation();
    else walk(e);
  };
  root.onclick = (e) => {
    const card = e.target.closest(".mq-card"),
      on = e.target.closest("[data-f]"),
      subject = e.target.closest(".mq-trait")?.mqSubject;
    if (card) act({ do: "open", film: +card.dataset.film });
    else if (on?.dataset.f === "name") act({ do: "evidence", aspect: data.aspect, subject });
    else if (on?.dataset.f === "use") act({ do: "person", subject });
    else if (on?.dataset.f === "all") act({ do: "all", aspect: data.aspect });
  };
}

function nudged(li, moved) {
  const input = li.querySelector(".mq-nudge input");
  const said = () => {
    input.nextElementSibling.textContent = points(+input.value);
    input.setAttribute("aria-valuetext", `${points(+input.value)} points`);
  };
  if (input) sliding(li, input, said, moved);
}
