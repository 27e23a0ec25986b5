// Abstract pictures, drawn from a seeded chance `r`, inks `p`, on a sheet w x h around a focus f {x, y}. m: the shorter side.

const tag = (name, attrs, body) => `<${name} ${Object.entries(attrs).map(([k, v]) => `${k}="${typeof v === "number" ? n1(v) : v}"`).join(" ")}${body == null ? "/>" : `>${body}</${name}>`}`;
const circle = (x, y, radius, fill, more = {}) => tag("circle", { cx: x, cy: y, r: radius, fill, ...more });
const ring = (x, y, radius, stroke, thick, more = {}) => circle(x, y, radius, "none", { stroke, "stroke-width": thick, ...more });
const box = (x, y, w, h, fill, more = {}) => tag("rect", { x, y, width: w, height: h, fill, ...more });
const shape = (points, fill, more = {}) => tag("polygon", { points: points.map(([x, y]) => `${n1(x)},${n1(y)}`).join(" "), fill, ...more });
const path = (d, fill, more = {}) => tag("path", { d, fill, ...more });
const line = (x1, y1, x2, y2, stroke, thick, more = {}) => tag("line", { x1, y1, x2, y2, stroke, "stroke-width": thick, ...more });
const times = (n, draw) => range(n).map(draw).join("");

function ridge(w, h, base, tall, r, fill, flat = false) { // a skyline of hills or mesas from left to right
  const points = [[0, h]];
  let x = 0;
  while (x < w) {
    const top = base - tall * (0.25 + 0.75 * r());
    const step = w * between(r, 0.1, 0.24);
    if (flat) points.push([x, base], [x + step * 0.18, top], [x + step * 0.8, top], [x + step, base]);
    else points.push([x, base - tall * 0.12 * r()], [x + step * between(r, 0.35, 0.65), top]);
    x += step;
  }
  return shape([...points, [w, base], [w, h]], fill);
}
function swell(w, h, y, high, long, shift, fill) { // one wave, filled to the bottom
  let d = `M0 ${h}V${n1(y)}`;
  for (let x = 0; x <= w + long; x += long) d += `q${n1(long / 4)} ${n1(-high)} ${n1(long / 2)} 0t${n1(long / 2)} 0`;
  return `<g transform="translate(${n1(-shift)} 0)">${path(`${d}V${h}z`, fill)}</g>${box(0, h - 1, w, 1, fill)}`;
}

const MOTIFS = {
  sunset(w, h, r, p, f, m) {
    const R = m * between(r, 0.27, 0.36), y = f.y, cuts = r() < 0.5 ? times(5, (i) => box(f.x - R, y + R * (0.12 + i * 0.19), 2 * R, R * (0.03 + i * 0.022), p.bottom)) : "";
    return circle(f.x, y, R, p.main) + cuts + ridge(w, h, y + R * 1.05, m * 0.16, r, p.shade) + ridge(w, h, y + R * 1.3, m * 0.12, r, p.bottom);
  },
  mesas(w, h, r, p, f, m) {
    const y = f.y + m * 0.25;
    return circle(f.x + m * between(r, -0.22, 0.22), f.y - m * 0.05, m * 0.2, p.second) + ridge(w, h, y, m * 0.3, r, p.main, true) + ridge(w, h, y + m * 0.16, m * 0.14, r, p.shade, true);
  },
  peaks(w, h, r, p, f, m) {
    const y = f.y + m * 0.3;
    return circle(f.x + m * between(r, -0.25, 0.25), f.y - m * 0.16, m * 0.13, p.main) + ridge(w, h, y, m * 0.55, r, p.second) + ridge(w, h, y + m * 0.14, m * 0.42, r, p.shade, false) + ridge(w, h, y + m * 0.3, m * 0.25, r, p.bottom);
  },
  waves(w, h, r, p, f, m) {
    const long = m * between(r, 0.4, 0.8), tints = [p.second, p.main, p.shade, p.second, p.bottom];
    return circle(f.x, f.y - m * 0.12, m * 0.2, p.main) + tints.map((c, i) => swell(w, h, f.y + m * (0.06 + i * 0.13), m * 0.09, long * (1 + i * 0.14), r() * long, c)).join("");
  },
  rays(w, h, r, p, f) {
    const n = pick(r, [12, 16, 20]), R = Math.hypot(w, h), turn = r();
    return times(n, (i) => { const a = ((i + turn) / n) * 2 * Math.PI, b = a + Math.PI / n; return shape([[f.x, f.y], [f.x + R * Math.cos(a), f.y + R * Math.sin(a)], [f.x + R * Math.cos(b), f.y + R * Math.sin(b)]], p.shade, { opacity: 0.55 }); })
      + circle(f.x, f.y, Math.min(w, h) * between(r, 0.17, 0.26), p.main) + circle(f.x, f.y, Math.min(w, h) * 0.11, p.second);
  },
  rings(w, h, r, p, f, m) {
    const n = pick(r, [5, 6, 7]), tints = [p.main, p.top, p.second, p.bottom];
    return times(n, (i) => circle(f.x + i * m * 0.004, f.y + i * m * 0.012, m * 0.44 * (1 - i / n), tints[i % 4]));
  },
  spiral(w, h, r, p, f, m) {
    let d = `M${n1(f.x)} ${n1(f.y)}`;
    for (let a = 0; a < 34; a += 0.3) { const R = m * 0.0165 * a; d += `L${n1(f.x + R * Math.cos(a))} ${n1(f.y + R * Math.sin(a))}`; }
    return path(d, "none", { stroke: p.main, "stroke-width": m * 0.034, "stroke-linejoin": "round" }) + MOTIFS.figure(w, h, r, { ...p, main: p.second }, { x: f.x, y: f.y + m * 0.04 }, m * 0.5);
  },
  grid(w, h, r, p, f, m) {
    const y = f.y + m * 0.2, R = m * between(r, 0.25, 0.33);
    const floor = times(13, (i) => line(f.x + (i - 6) * m * 0.045, y, f.x + (i - 6) * m * 0.42, h, p.second, 0.9, { opacity: 0.8 })) + times(9, (i) => line(0, y + (h - y) * (i / 8) ** 2, w, y + (h - y) * (i / 8) ** 2, p.second, 0.9, { opacity: 0.8 }));
    return dots(w, y, r, p.ink, 28, m) + circle(f.x, f.y - m * 0.02, R, p.main) + times(4, (i) => box(f.x - R, f.y + R * (0.1 + 0.2 * i), 2 * R, 1.5 + 1.4 * i, p.bottom)) + box(0, y, w, h - y, p.bottom) + floor;
  },
  orbits(w, h, r, p, f, m) {
    const tilt = between(r, -35, 35);
    return dots(w, h, r, p.ink, 40, m) + `<g transform="rotate(${n1(tilt)} ${n1(f.x)} ${n1(f.y)})">${times(4, (i) => tag("ellipse", { cx: f.x, cy: f.y, rx: m * (0.26 + 0.1 * i), ry: m * (0.07 + 0.035 * i), fill: "none", stroke: p.second, "stroke-width": i === 1 ? 2.2 : 0.8 }))}</g>`
      + circle(f.x, f.y, m * 0.19, p.main) + path(`M${n1(f.x)} ${n1(f.y - m * 0.19)}a${n1(m * 0.19)} ${n1(m * 0.19)} 0 0 1 0 ${n1(m * 0.38)}a${n1(m * 0.3)} ${n1(m * 0.3)} 0 0 0 0 ${n1(-m * 0.38)}`, p.shade, { opacity: 0.65 }) + circle(f.x + m * 0.34, f.y - m * 0.13, m * 0.03, p.second);
  },
  eclipse(w, h, r, p, f, m) {
    const R = m * between(r, 0.24, 0.32);
    return dots(w, h, r, p.ink, 34, m) + times(4, (i) => circle(f.x, f.y, R * (1.62 - i * 0.16), p.main, { opacity: 0.1 + 0.06 * i })) + circle(f.x, f.y, R * 1.04, p.main) + circle(f.x + R * 0.09, f.y + R * 0.07, R, p.bottom);
  },
  stars(w, h, r, p, f, m) {
    return dots(w, h, r, p.ink, 46, m) + times(5, (i) => sparkle(f.x + m * between(r, -0.4, 0.4), f.y + m * between(r, -0.35, 0.3), m * (i ? between(r, 0.03, 0.08) : 0.22), i ? p.second : p.main));
  },
  moon(w, h, r, p, f, m) {
    const R = m * between(r, 0.22, 0.3);
    return dots(w, f.y, r, p.ink, 22, m) + circle(f.x, f.y, R, p.main) + circle(f.x + R * between(r, 0.3, 0.55), f.y - R * 0.18, R * 0.92, p.top) + times(3, (i) => box(f.x - m * between(r, 0.2, 0.5), f.y + R * (0.45 + i * 0.3), m * between(r, 0.4, 0.8), m * 0.022, p.shade, { rx: m * 0.011 })) + ridge(w, h, h * 0.97, m * 0.14, r, p.shade);
  },
  tree(w, h, r, p, f, m) {
    const branches = [];
    const grow = (x, y, a, l, thick) => { const X = x + l * Math.cos(a), Y = y + l * Math.sin(a); branches.push(line(x, y, X, Y, p.shade === p.bottom ? p.ink : p.bottom, thick, { "stroke-linecap": "round" })); if (thick > 0.9) range(2).forEach((i) => grow(X, Y, a + between(r, 0.2, 0.65) * (i ? 1 : -1), l * between(r, 0.68, 0.82), thick * 0.66)); };
    grow(f.x, f.y + m * 0.46, -Math.PI / 2 + between(r, -0.12, 0.12), m * 0.23, m * 0.04);
    return circle(f.x + m * between(r, -0.12, 0.12), f.y - m * 0.02, m * 0.33, p.main) + branches.join("") + ridge(w, h, f.y + m * 0.5, m * 0.06, r, p.bottom);
  },
  eye(w, h, r, p, f, m) {
    const a = m * 0.43, b = m * between(r, 0.2, 0.27), lid = `M${n1(f.x - a)} ${n1(f.y)}Q${n1(f.x)} ${n1(f.y - 2 * b)} ${n1(f.x + a)} ${n1(f.y)}Q${n1(f.x)} ${n1(f.y + 2 * b)} ${n1(f.x - a)} ${n1(f.y)}z`;
    return path(lid, p.main) + circle(f.x, f.y, b * 0.86, p.second) + circle(f.x, f.y, b * 0.46, p.bottom) + circle(f.x + b * 0.2, f.y - b * 0.24, b * 0.13, p.ink) + times(9, (i) => { const t = (i - 4) / 4.5; return line(f.x + a * t, f.y - 1.12 * b * (1 - t * t), f.x + a * t * 1.18, f.y - 1.5 * b * (1 - t * t) - b * 0.2, p.main, 2); });
  },
  slashes(w, h, r, p) {
    const lean = between(r, 0.35, 0.8) * h, n = 7;
    return times(n, (i) => { const x = (i / n) * (w + lean) - lean + between(r, -6, 6), t = between(r, 0.03, 0.1) * w; return shape([[x, h], [x + t, h], [x + t + lean, 0], [x + lean, 0]], [p.main, p.second, p.shade][i % 3], { opacity: i % 3 === 2 ? 0.8 : 1 }); });
  },
  claws(w, h, r, p, f, m) {
    return times(4, (i) => { const x = f.x + m * (-0.3 + 0.2 * i), s = m * between(r, 0.55, 0.72), y = f.y - s * 0.55; return path(`M${n1(x + m * 0.12)} ${n1(y)}Q${n1(x + m * 0.06)} ${n1(y + s * 0.5)} ${n1(x - m * 0.08)} ${n1(y + s)}Q${n1(x - m * 0.03)} ${n1(y + s * 0.45)} ${n1(x + m * 0.12)} ${n1(y)}z`, i % 2 ? p.main : p.second); });
  },
  chevrons(w, h, r, p, f, m) {
    const n = 6, s = m * 0.17, up = r() < 0.6 ? -1 : 1;
    return times(n, (i) => { const y = f.y + up * (i - n / 2) * s * -0.95; return shape([[0, y + up * s * -1.9], [f.x, y], [w, y + up * s * -1.9], [w, y + up * s * -1.35], [f.x, y + s * 0.55 * up], [0, y + up * s * -1.35]], [p.main, p.second, p.shade][i % 3]); });
  },
  tracks(w, h, r, p, f, m) {
    const y = f.y - m * 0.05;
    return circle(f.x, y - m * 0.04, m * 0.2, p.main) + box(0, y, w, h - y, p.shade) + shape([[f.x - 2, y], [f.x + 2, y], [f.x + m * 0.42, h], [f.x - m * 0.42, h]], p.bottom) + times(6, (i) => { const t = ((i + 0.4) / 6) ** 1.8, t2 = ((i + 0.85) / 6) ** 1.8, a = (h - y); return shape([[f.x - 1.5 - t * 7, y + a * t], [f.x + 1.5 + t * 7, y + a * t], [f.x + 1.5 + t2 * 7, y + a * t2], [f.x - 1.5 - t2 * 7, y + a * t2]], p.second); });
  },
  bubbles(w, h, r, p, f, m) {
    const tints = [p.main, p.second, p.shade];
    return times(7, (i) => circle(f.x + m * between(r, -0.4, 0.4), f.y + m * between(r, -0.36, 0.34), m * between(r, 0.1, 0.25), tints[i % 3], { opacity: 0.86 }));
  },
  bokeh(w, h, r, p, f, m) {
    return times(16, (i) => circle(between(r, 0, w), f.y + m * between(r, -0.6, 0.6), m * between(r, 0.04, 0.2), i % 3 ? p.main : p.second, { opacity: n1(between(r, 0.16, 0.55) * 10) / 10 }));
  },
  confetti(w, h, r, p, f, m) {
    return times(38, (i) => { const x = between(r, 0, w), y = f.y + m * between(r, -0.6, 0.6), s = m * between(r, 0.025, 0.07), c = [p.main, p.second, p.shade, p.ink][i % 4]; return i % 3 ? box(x, y, s, s * between(r, 0.4, 1.6), c, { transform: `rotate(${Math.round(r() * 90)} ${n1(x)} ${n1(y)})` }) : circle(x, y, s * 0.6, c); });
  },
  halftone(w, h, r, p, f) {
    const step = w / 13, far = Math.hypot(w, h) * 0.52, out = [];
    for (let y = 0; y < h; y += step) for (let x = (Math.round(y / step) % 2) * step * 0.5; x < w + step; x += step) { const s = step * 0.62 * (1 - Math.hypot(x - f.x, y - f.y) / far); if (s > 0.5) out.push(circle(x, y, s, p.main)); }
    return out.join("");
  },
  harlequin(w, h, r, p) {
    const a = w / pick(r, [3, 4]), b = a * 1.45, out = [];
    for (let j = 0, y = -b / 2; y < h + b; y += b / 2, j++) for (let x = (j % 2) * a * 0.5 - a / 2; x < w + a; x += a) out.push(shape([[x, y - b / 2], [x + a / 2, y], [x, y + b / 2], [x - a / 2, y]], [p.main, p.shade, p.second, p.top][Math.floor(r() * 4)]));
    return out.join("");
  },
  tiles(w, h, r, p) { // quarter and half rounds on a square grid
    const n = w > h ? 7 : 4, s = w / n, tints = [p.main, p.second, p.shade, p.ink, p.bottom], out = [];
    for (let j = 0; j * s < h; j++) for (let i = 0; i < n; i++) {
      const x = i * s, y = j * s, c = pick(r, tints), d = pick(r, tints), kind = Math.floor(r() * 5), turn = 90 * Math.floor(r() * 4);
      const body = [`M0 0H${n1(s)}A${n1(s)} ${n1(s)} 0 0 1 0 ${n1(s)}z`, `M0 ${n1(s / 2)}A${n1(s / 2)} ${n1(s / 2)} 0 0 1 ${n1(s)} ${n1(s / 2)}z`, `M0 0L${n1(s)} ${n1(s)}H0z`][kind];
      if (r() < 0.5) out.push(box(x, y, s + 0.4, s + 0.4, d, { opacity: 0.5 }));
      out.push(body ? `<g transform="translate(${n1(x)} ${n1(y)}) rotate(${turn} ${n1(s / 2)} ${n1(s / 2)})">${path(body, c)}</g>` : circle(x + s / 2, y + s / 2, s * (kind === 3 ? 0.5 : 0.22), c));
    }
    return out.join("");
  },
  arches(w, h, r, p, f, m) {
    const tints = [p.main, p.second, p.shade, p.ink, p.main, p.top], R = m * 0.46, y = f.y + m * 0.2;
    return tints.map((c, i) => path(`M${n1(f.x - R * (1 - i / 6))} ${n1(y)}a${n1(R * (1 - i / 6))} ${n1(R * (1 - i / 6))} 0 0 1 ${n1(2 * R * (1 - i / 6))} 0V${n1(y + m * 0.16)}H${n1(f.x - R * (1 - i / 6))}z`, c)).join("");
  },
  balloons(w, h, r, p, f, m) {
    return times(5, (i) => { const x = f.x + m * [-0.27, 0.24, -0.02, -0.15, 0.14][i], y = f.y + m * [-0.04, 0.02, -0.22, 0.18, 0.24][i], R = m * between(r, 0.1, 0.15); return line(x, y + R, f.x, h, p.ink, 0.7, { opacity: 0.6 }) + tag("ellipse", { cx: x, cy: y, rx: R, ry: R * 1.2, fill: [p.main, p.second, p.shade][i % 3] }) + circle(x - R * 0.35, y - R * 0.45, R * 0.16, "#fff", { opacity: 0.5 }); });
  },
  blinds(w, h, r, p, f, m) {
    const lean = between(r, -0.12, 0.12), s = m * 0.075;
    return `<g transform="rotate(${n1(lean * 60)} ${n1(f.x)} ${n1(f.y)})">${circle(f.x, f.y, m * 0.34, p.main)}${times(16, (i) => box(-w, f.y + (i - 8) * s, 3 * w, s * 0.52, i % 2 ? p.bottom : p.shade))}</g>`;
  },
  skyline(w, h, r, p, f, m) {
    const out = [circle(f.x + m * between(r, -0.2, 0.2), f.y - m * 0.1, m * 0.2, p.main)];
    [p.second, p.shade, p.bottom].forEach((c, layer) => { let x = -4; while (x < w) { const b = m * between(r, 0.08, 0.17), top = f.y + m * (0.02 + layer * 0.17) - m * between(r, 0, 0.26); out.push(box(x, top, b + 1, h - top, c)); if (layer) range(5).forEach((i) => r() < 0.45 && out.push(box(x + b * between(r, 0.15, 0.7), top + m * 0.05 * (i + 1), m * 0.016, m * 0.024, p.main, { opacity: 0.9 }))); x += b; } });
    return out.join("");
  },
  figure(w, h, r, p, f, m) { // one person, a long shadow
    const s = m * 0.26, x = f.x, y = f.y + m * 0.12, long = between(r, -1.5, 1.5) * s;
    return shape([[x - s * 0.16, y], [x + s * 0.16, y], [x + long + s * 0.4, y + s * 1.9], [x + long - s * 0.4, y + s * 1.9]], p.bottom, { opacity: 0.55 }) + path(`M${n1(x - s * 0.2)} ${n1(y)}L${n1(x - s * 0.15)} ${n1(y - s * 0.62)}Q${n1(x)} ${n1(y - s * 0.82)} ${n1(x + s * 0.15)} ${n1(y - s * 0.62)}L${n1(x + s * 0.2)} ${n1(y)}H${n1(x + s * 0.04)}L${n1(x)} ${n1(y - s * 0.26)}L${n1(x - s * 0.04)} ${n1(y)}z`, p.main) + circle(x, y - s * 0.88, s * 0.13, p.main);
  },
  alone(w, h, r, p, f, m) {
    return circle(f.x, f.y - m * 0.02, m * between(r, 0.3, 0.38), p.main) + box(0, f.y + m * 0.12, w, h, p.bottom, { opacity: 0.88 }) + MOTIFS.figure(w, h, r, { ...p, main: p.bottom, bottom: p.shade }, f, m);
  },
  window(w, h, r, p, f, m) {
    const lean = between(r, 0.12, 0.35) * (r() < 0.5 ? -1 : 1), pane = (i, j) => { const a = m * 0.25, x = f.x + (i - 1) * a * 1.08, y = f.y - m * 0.32 + j * a * 1.2; return shape([[x, y], [x + a, y + a * lean], [x + a, y + a * (1.1 + lean)], [x, y + a * 1.1]], p.main, { opacity: [1, 0.86, 0.7][j] }); };
    return times(6, (k) => pane(k % 2, Math.floor(k / 2))) + line(0, f.y + m * 0.56, w, f.y + m * 0.56, p.second, 1.4, { opacity: 0.7 });
  },
  doorway(w, h, r, p, f, m) {
    const a = m * 0.2, b = m * 0.42, y = f.y + m * 0.3, side = r() < 0.5 ? -1 : 1;
    return path(`M${n1(f.x - a * 1.5)} ${n1(y)}V${n1(y - b)}a${n1(a * 1.5)} ${n1(a * 1.5)} 0 0 1 ${n1(a * 3)} 0V${n1(y)}z`, p.second) + path(`M${n1(f.x - a)} ${n1(y)}V${n1(y - b)}a${n1(a)} ${n1(a)} 0 0 1 ${n1(a * 2)} 0V${n1(y)}z`, p.main) + shape([[f.x - a, y], [f.x + a, y], [f.x + a + side * m * 0.5, h], [f.x - a * 2 + side * m * 0.5, h]], p.main, { opacity: 0.42 }) + MOTIFS.figure(w, h, r, { ...p, main: p.bottom }, { x: f.x, y: y - m * 0.075 }, m * 0.62);
  },
  planes(w, h, r, p, f, m) {
    const t = between(r, 0.3, 0.7);
    return shape([[0, 0], [w, 0], [w, h * (t - 0.2)], [0, h * t]], p.shade) + shape([[w, h * (t - 0.2)], [w, h * (t + 0.25)], [w * 0.2, h * (t - 0.02)]], p.second) + circle(f.x + m * between(r, -0.2, 0.2), f.y, m * between(r, 0.16, 0.26), p.main);
  },
  venn(w, h, r, p, f, m) {
    const R = m * between(r, 0.23, 0.28), d = R * between(r, 0.5, 0.75), a = between(r, 0, Math.PI), x = d * Math.cos(a), y = d * Math.sin(a);
    return circle(f.x - x, f.y - y, R, p.main) + circle(f.x + x, f.y + y, R, p.second, { opacity: 0.82 });
  },
  petals(w, h, r, p, f, m) {
    const n = pick(r, [6, 8, 10]), L = m * between(r, 0.34, 0.44);
    return times(n, (i) => tag("ellipse", { cx: f.x, cy: f.y - L * 0.55, rx: L * 0.2, ry: L * 0.52, fill: i % 2 ? p.main : p.second, opacity: 0.9, transform: `rotate(${n1((360 / n) * i)} ${n1(f.x)} ${n1(f.y)})` })) + circle(f.x, f.y, L * 0.18, p.shade);
  },
  deco(w, h, r, p, f, m) {
    const s = w / (w > h ? 9 : 5), out = [], low = f.y - m * 0.5;
    for (let j = 0, y = low; y < h + s; y += s * 0.5, j++) for (let x = (j % 2) * s * 0.5; x < w + s; x += s) out.push(...[1, 0.72, 0.44].map((k, i) => circle(x, y + s * 0.5, s * 0.5 * k, [p.shade, p.main, p.bottom][i])));
    return out.join("");
  },
  record(w, h, r, p, f, m) {
    const R = m * 0.4;
    return circle(f.x, f.y, R, p.bottom) + times(7, (i) => ring(f.x, f.y, R * (0.94 - i * 0.075), p.ink, 0.5, { opacity: 0.35 })) + circle(f.x, f.y, R * 0.36, p.main) + circle(f.x, f.y, R * 0.2, p.second) + circle(f.x, f.y, R * 0.04, p.bottom);
  },
  bars(w, h, r, p, f, m) {
    const n = w > h ? 24 : 11, s = w / n;
    return times(n, (i) => { const high = m * (0.1 + 0.42 * Math.abs(Math.sin(i * between(r, 0.5, 0.9) + r()))); return box(i * s + s * 0.14, f.y - high, s * 0.72, high * 2, [p.main, p.second, p.shade][i % 3], { rx: s * 0.36 }); });
  },
  keyhole(w, h, r, p, f, m) {
    const R = m * 0.15;
    return circle(f.x, f.y, m * 0.4, p.shade) + ring(f.x, f.y, m * 0.4, p.second, 1.4) + circle(f.x, f.y - R * 0.5, R, p.main) + shape([[f.x - R * 0.45, f.y], [f.x + R * 0.45, f.y], [f.x + R * 0.95, f.y + R * 2], [f.x - R * 0.95, f.y + R * 2]], p.main) + MOTIFS.figure(w, h, r, { ...p, main: p.bottom }, { x: f.x, y: f.y + R * 1.2 }, m * 0.34);
  },
  stairs(w, h, r, p, f, m) {
    const n = 8, s = m * 0.125, flip = r() < 0.5, X = (x) => (flip ? w - x : x), low = f.y - m * 0.36;
    const step = (i) => { const x = s * (i + 1) * 1.15, y = low + i * s; return shape([[X(0), y], [X(x), y], [X(x), h], [X(0), h]], i % 2 ? p.shade : p.second); };
    return circle(X(w * 0.76), f.y - m * 0.18, m * 0.13, p.main) + times(n, (i) => step(i));
  },
  beams(w, h, r, p, f, m) {
    return times(3, (i) => { const x = w * (0.2 + 0.3 * i), a = between(r, -0.5, 0.5); return shape([[x - 3, h * 0.98], [x + 3, h * 0.98], [x + a * w + m * 0.16, -2], [x + a * w - m * 0.16, -2]], i % 2 ? p.second : p.main, { opacity: 0.42 }); }) + circle(f.x, f.y - m * 0.06, m * 0.12, p.main) + ridge(w, h, h * 0.96, m * 0.16, r, p.bottom, true);
  },
  contour(w, h, r, p, f, m) {
    const a = r() * 9, b = r() * 9;
    return times(11, (k) => { const R = m * (0.05 + 0.056 * k); let d = ""; for (let i = 0; i <= 40; i++) { const t = (i / 40) * 2 * Math.PI, q = R * (1 + 0.16 * Math.sin(2 * t + a) + 0.1 * Math.sin(3 * t + b + k * 0.12)); d += `${i ? "L" : "M"}${n1(f.x + q * Math.cos(t))} ${n1(f.y + q * Math.sin(t))}`; } return path(`${d}z`, k === 0 ? p.second : "none", { stroke: k % 4 === 0 ? p.second : p.main, "stroke-width": k % 4 === 0 ? 1.8 : 0.9 }); });
  },
  hatch(w, h, r, p, f, m) {
    const s = m * 0.05, a = Math.round(between(r, 20, 70));
    return `<g transform="rotate(${a} ${n1(f.x)} ${n1(f.y)})">${times(22, (i) => box(f.x - m, f.y + (i - 11) * s, 2 * m, s * (0.12 + 0.034 * i), i > 15 ? p.second : p.main))}</g>`;
  },
  target(w, h, r, p, f, m) {
    const R = m * 0.36;
    return ring(f.x, f.y, R, p.main, 3) + ring(f.x, f.y, R * 0.62, p.main, 1.6) + circle(f.x, f.y, R * 0.13, p.second) + line(f.x - R * 1.25, f.y, f.x + R * 1.25, f.y, p.main, 1.4) + line(f.x, f.y - R * 1.25, f.x, f.y + R * 1.25, p.main, 1.4);
  },
  compass(w, h, r, p, f, m) {
    const turn = Math.round(between(r, -30, 30));
    return ring(f.x, f.y, m * 0.38, p.second, 1.6) + `<g transform="rotate(${turn} ${n1(f.x)} ${n1(f.y)})">${times(2, (k) => `<g transform="rotate(${45 * (1 - k)} ${n1(f.x)} ${n1(f.y)}) scale(1)">${sparkle(f.x, f.y, m * (k ? 0.4 : 0.25), k ? p.main : p.second)}</g>`)}</g>` + circle(f.x, f.y, m * 0.045, p.bottom);
  },
};

function dots(w, h, r, fill, n, m) {
  return times(n, () => circle(r() * w, r() * h, m * between(r, 0.0015, 0.006), fill, { opacity: 0.8 }));
}
function sparkle(x, y, s, fill) {
  const q = s * 0.13;
  return shape([[x, y - s], [x + q, y - q], [x + s, y], [x + q, y + q], [x, y + s], [x - q, y + q], [x - s, y], [x - q, y - q]], fill);
}

const GENRE_MOTIFS = {
  Western: ["mesas", "sunset", "tracks", "mesas"], "Film-Noir": ["blinds", "doorway", "beams", "skyline"], Musical: ["bars", "record", "deco", "rays"],
  Documentary: ["contour", "halftone", "hatch", "window"], Animation: ["tiles", "bubbles", "confetti", "arches"], Horror: ["claws", "tree", "eye", "moon", "stairs"],
  War: ["beams", "chevrons", "hatch", "sunset"], "Sci-Fi": ["grid", "orbits", "eclipse", "contour", "rings"], Fantasy: ["moon", "stars", "peaks", "tree"],
  "Children's": ["arches", "balloons", "confetti", "waves", "tiles"], Mystery: ["keyhole", "stairs", "moon", "doorway"], Romance: ["venn", "bokeh", "petals", "waves", "sunset"],
  Crime: ["blinds", "skyline", "target", "alone"], Thriller: ["spiral", "slashes", "alone", "eye", "rings", "target"], Adventure: ["peaks", "compass", "waves", "sunset"],
  Action: ["slashes", "rays", "chevrons", "tracks"], Comedy: ["halftone", "rays", "harlequin", "tiles", "bubbles"], Drama: ["window", "planes", "alone", "doorway", "tiles", "waves", "sunset", "rings"],
};
