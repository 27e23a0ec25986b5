// "Who's watching?" under the lit sign, and the face of a new viewer.

const personHtml = (v) =>
  `<li><button type="button" class="mq-person" data-viewer="${esc(v.id)}" tabindex="-1"><img src="${esc(v.face)}" alt="" width="132" height="132"><b><span class="mq-person-name">${esc(v.name)}</span>${v.certificate ? `<i class="mq-tag">${esc(v.certificate)}</i>` : ""}</b><span>${esc(v.line)}</span></button></li>`;
const newHtml = `<li><button type="button" class="mq-person mq-person-new" data-new tabindex="-1"><span class="mq-plus" aria-hidden="true">${icon("plus")}</span><b>Add a viewer</b><span>Yourself, with films of your own</span></button></li>`;

function picker({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq"),
    sign = JSON.stringify(data);
  root.mqAct = act;
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  root.innerHTML = `<div class="mq-picker"><div class="mq-sign"><small>Now showing</small><h1>Who’s watching?</h1></div><button type="button" class="mq-do mq-tour-offer" data-tour>${icon("play")}<span><b>${esc(data.tour)}</b> <i>what it knows, why it says so, whether it works</i></span></button>
    <ul class="mq-people-list">${data.own.map(personHtml).join("")}${newHtml}${data.viewers.map(personHtml).join("")}</ul></div>`;
  const people = [...root.querySelectorAll(".mq-person")];
  people[0].tabIndex = 0;
  if (globalThis.marqueeKit.rows) arrive(".st-key-mq_switch", ".mq-person[tabindex='0']");
  root.onclick = (e) => {
    if (e.target.closest("[data-tour]")) return root.mqAct({ do: "tour" });
    const on = e.target.closest(".mq-person");
    if (!on) return;
    if (on.dataset.new != null) return root.mqAct({ do: "new" });
    on.classList.add("mq-chosen");
    root.mqAct({ do: "pick", viewer: on.dataset.viewer });
    arrive(".mq-picker", ".mq-home .mq-first");
  };
  root.onkeydown = (e) => walk(e, people, e.target.closest(".mq-person"));
}

function walk(e, all, on) {
  // arrows, Home and End inside a group of buttons that is one stop of the tab key
  const at = all.indexOf(on);
  if (at < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
  if (/^[a-z]$/i.test(e.key)) return e.stopPropagation(); // single letters are shortcuts of the page around us
  const top = all[0].getBoundingClientRect().top,
    across = all.filter((b) => Math.abs(b.getBoundingClientRect().top - top) < 5).length;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: all.length - 1 }[e.key];
  if (to == null) return;
  e.preventDefault();
  if (!all[to]) return;
  all.forEach((b, i) => {
    b.tabIndex = i === to ? 0 : -1;
  });
  all[to].focus();
}

function faces({ data, parentElement, act }) {
  // twelve creatures in one colour, and the colours
  const root = parentElement.querySelector(".mq"),
    sign = JSON.stringify(data);
  root.mqAct = act;
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  const held = root.contains(document.activeElement) ? document.activeElement.dataset : null;
  const shape = (s) =>
    `<button type="button" role="radio" aria-checked="${s.shape === data.shape}" aria-label="${esc(s.shape)}" data-shape="${esc(s.shape)}" tabindex="${s.shape === data.shape ? 0 : -1}"><img src="${esc(s.face)}" alt="" width="60" height="60"></button>`;
  const hue = (h) =>
    `<button type="button" role="radio" aria-checked="${h === data.hue}" aria-label="colour ${+h} of 360" data-hue="${+h}" tabindex="${h === data.hue ? 0 : -1}" style="--hue:${+h}"></button>`;
  root.innerHTML = `<div class="mq-maker"><div class="mq-maker-shapes" role="radiogroup" aria-label="Face">${data.shapes.map(shape).join("")}</div><div class="mq-maker-hues" role="radiogroup" aria-label="Colour">${data.hues.map(hue).join("")}</div></div>`;
  root.onclick = (e) => {
    const on = e.target.closest("button");
    if (on) root.mqAct({ do: "face", shape: on.dataset.shape ?? data.shape, hue: on.dataset.hue == null ? data.hue : +on.dataset.hue });
  };
  root.onkeydown = (e) => walk(e, [...(e.target.closest("[role=radiogroup]")?.children ?? [])], e.target.closest("button"));
  if (held?.shape || held?.hue) root.querySelector(held.shape ? `[data-shape="${held.shape}"]` : `[data-hue="${held.hue}"]`)?.focus({ preventScroll: true });
}
