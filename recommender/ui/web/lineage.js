// What was made from what: a column a stage (a row on a phone), things of a kind in one box, a line from each to what was made of it. What is touched lights up all it came from and all that came of it.

function lineage({ data, parentElement }) {
  const root = parentElement.querySelector(".mq");
  root.className = "mq mq-line";
  root.innerHTML = `<svg aria-hidden="true" focusable="false"></svg>${data.stages
    .map((s) => `<section><h3>${esc(s.title)}</h3><ul>${s.nodes.map((n) => `<li data-node="${esc(n.key)}" class="${n.parts ? "mq-line-box" : n.stale ? "mq-stale" : ""}" title="${esc(n.stale)}">${lineageName(n)}${n.parts ? `<ol>${n.parts.map((p) => `<li class="${p.stale ? "mq-stale" : ""}" title="${esc(p.stale)}">${lineageName(p)}</li>`).join("")}</ol>` : ""}</li>`).join("")}</ul></section>`)
    .join("")}`;
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", data.said);
  const draw = () => lineageLines(root, data.edges);
  root.mqWatch?.disconnect();
  root.mqWatch = new ResizeObserver(draw);
  root.mqWatch.observe(root);
  document.fonts.ready.then(draw);
  const light = (key) => lineageLight(root, data.edges, key);
  root.onpointerover = (e) => light(e.target.closest("[data-node]")?.dataset.node);
  root.onpointerleave = () => light();
}

const lineageName = (n) => `<b>${esc(n.name)}</b><i>${esc([n.note, n.stale && "out of date"].filter(Boolean).join(" · "))}</i>`;

function lineageLines(root, edges) {
  const svg = root.querySelector("svg"),
    at = root.getBoundingClientRect(),
    tall = getComputedStyle(root).flexDirection === "column",
    box = new Map([...root.querySelectorAll("[data-node]")].map((el) => [el.dataset.node, el.getBoundingClientRect()]));
  svg.setAttribute("viewBox", `0 0 ${n1(at.width)} ${n1(at.height)}`);
  svg.innerHTML = edges
    .map(([a, b, old]) => {
      const p = box.get(a),
        q = box.get(b);
      if (!p || !q) return "";
      return `<path data-from="${esc(a)}" data-to="${esc(b)}" class="${old ? "mq-stale" : ""}" d="${lineagePath(p, q, at, tall)}"/>`;
    })
    .join("");
}

function lineagePath(p, q, at, tall) {
  const same = tall ? Math.abs(p.top - q.top) < 4 : Math.abs(p.left - q.left) < 4,
    x = (v) => n1(v - at.left),
    y = (v) => n1(v - at.top);
  if (tall) {
    const [a, b, c, d] = [x(p.left + p.width / 2), y(p.bottom), x(q.left + q.width / 2), y(same ? q.bottom : q.top)];
    return same ? `M${a} ${b}C${a} ${b + 12} ${c} ${d + 12} ${c} ${d}` : `M${a} ${b}C${a} ${n1((b + d) / 2)} ${c} ${n1((b + d) / 2)} ${c} ${d}`;
  }
  const [a, b, c, d] = [x(p.right), y(p.top + p.height / 2), x(same ? q.right : q.left), y(q.top + q.height / 2)];
  return same ? `M${a} ${b}C${a + 26} ${b} ${c + 26} ${d} ${c} ${d}` : `M${a} ${b}C${n1((a + c) / 2)} ${b} ${n1((a + c) / 2)} ${d} ${c} ${d}`;
}

function lineageLight(root, edges, key) {
  const lit = new Set(key ? [key] : []),
    walk = (from, to) => {
      const open = key ? [key] : [];
      while (open.length) {
        const here = open.pop();
        edges.filter((e) => e[from] === here && !lit.has(`${e[to]}|${from}`)).forEach((e) => {
          lit.add(`${e[to]}|${from}`).add(e[to]);
          open.push(e[to]);
        });
      }
    };
  walk(0, 1);
  walk(1, 0);
  root.classList.toggle("mq-lit-one", !!key);
  root.querySelectorAll("[data-node]").forEach((el) => el.classList.toggle("mq-lit", lit.has(el.dataset.node)));
  root.querySelectorAll("path").forEach((el) => {
    const down = (el.dataset.from === key || lit.has(`${el.dataset.from}|0`)) && lit.has(`${el.dataset.to}|0`),
      up = (el.dataset.to === key || lit.has(`${el.dataset.to}|1`)) && lit.has(`${el.dataset.from}|1`);
    el.classList.toggle("mq-lit", down || up);
  });
}
