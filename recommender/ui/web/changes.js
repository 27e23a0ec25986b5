// What changed in the first row after something was said: how many films moved, the films themselves, and why.

const moved = (f) => (f.from == null ? ["up", `new at ${f.to}`] : f.to == null ? ["out", `left ${f.from}`] : [f.to < f.from ? "up" : "down", `${f.from} → ${f.to}`]);

function changesHtml(c) {
  const films = c.films
    .map((f) => {
      const [how, places] = moved(f);
      return `<li class="mq-${how}" title="${esc(f.line)}"><span class="mq-poster" aria-hidden="true">${poster(f)}</span><b>${esc(f.title)}</b><i>${esc(places)}</i><span class="mq-name">${esc(f.line)}</span></li>`;
    })
    .join("");
  return `<header><h2>What changed</h2><p>${esc(c.head)}</p><span>${c.id ? `<button type="button" class="mq-do" data-do="undo" data-id="${esc(c.id)}">Undo</button>` : ""}<button type="button" class="mq-do" data-do="read" aria-label="Close what changed">${icon("close")}</button></span></header>
    <ul class="mq-moves" tabindex="0" aria-label="Films that moved">${films}</ul><details open><summary>Why</summary><ul>${c.why.map((line) => `<li>${esc(line)}</li>`).join("")}</ul></details>`;
}

function changes(el, data) {
  const sign = JSON.stringify(data ?? null);
  if (el.mqSign === sign) return;
  el.mqSign = sign;
  el.hidden = !data;
  el.innerHTML = data ? changesHtml(data) : "";
  if (data && !calm()) el.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 500 });
}
