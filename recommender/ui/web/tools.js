// Above the rows of For you: the search, the genres, and one line that says how the rows were made.

const SHADES = ["#ffb52e", "#f4e9d4", "#c8643c", "#8fb3a5", "#8b7fb8", "#6f6558"];

function strip(el, s) {
  // the route and the gate, in one line
  el.hidden = !s;
  const sign = JSON.stringify(s);
  if (!s || el.mqSign === sign) return;
  el.mqSign = sign;
  const parts = s.weights.filter(([, share]) => share >= 0.005);
  const said = parts.map(([name, share]) => `${name} ${Math.round(100 * share)}%`).join(", ");
  if (!el.firstChild) el.innerHTML = `<p class="mq-route"></p><div class="mq-gate"><div class="mq-bar" role="img"></div><ul></ul></div>`;
  el.querySelector(".mq-route").innerHTML =
    `<span class="mq-tag mq-lit">${esc(s.route)}</span>${s.simulated.map((x) => `<span class="mq-tag" title="Drawn from a rule, not observed">${esc(x)}: simulated</span>`).join("")}<span>${esc(s.why)}</span>`;
  const bar = el.querySelector(".mq-bar");
  bar.setAttribute("aria-label", `Mix of models: ${said}`);
  bar.innerHTML = parts.map(([, share], i) => `<i style="flex-grow:${(+share).toFixed(3)};background:${SHADES[i % 6]}"></i>`).join("");
  el.querySelector("ul").innerHTML = parts
    .map(([name, share, of], i) => `<li title="${esc(of)}"><i style="background:${SHADES[i % 6]}"></i>${esc(name)} <b>${Math.round(100 * share)}%</b></li>`)
    .join("");
}

function genres(el, data) {
  const sign = JSON.stringify([data.genres, data.genre]);
  if (el.mqSign === sign) return;
  el.mqSign = sign;
  const at = el.scrollLeft,
    focused = el.contains(document.activeElement) ? document.activeElement.dataset.genre : null;
  el.innerHTML = ["", ...data.genres]
    .map((g) => `<button type="button" class="mq-chip" data-genre="${esc(g)}" aria-pressed="${g === (data.genre ?? "")}" tabindex="${g === (data.genre ?? "") ? 0 : -1}">${esc(g || "All")}</button>`)
    .join("");
  el.onkeydown = (e) => walk(e, [...el.children], e.target.closest("button")); // one stop of the tab key
  el.scrollLeft = at;
  if (focused != null) [...el.children].find((b) => b.dataset.genre === focused)?.focus({ preventScroll: true });
}

function wireSearch(root) {
  const input = root.querySelector("input");
  let timer = 0;
  input.mqSent = "";
  const send = () => {
    clearTimeout(timer);
    const words = input.value.trim();
    if (words !== input.mqSent) {
      input.mqSent = words;
      root.mqAct({ do: "find", words });
    }
  };
  input.oninput = () => {
    root.querySelector(".mq-clear").hidden = !input.value;
    clearTimeout(timer);
    if (input.value) timer = setTimeout(send, 260);
    else send(); // nothing more to type
  };
  input.onchange = send; // whoever leaves the box has done typing
  input.onkeydown = (e) => {
    e.stopPropagation();
    if (e.key === "Enter") send();
    if (e.key === "Escape" && input.value) {
      e.preventDefault();
      wipe(root);
    }
  };
  root.querySelector(".mq-clear").onclick = (e) => {
    e.stopPropagation();
    wipe(root);
  };
}
function wipe(root) {
  const input = root.querySelector("input");
  input.value = "";
  input.dispatchEvent(new Event("input"));
  input.focus({ preventScroll: true });
}
