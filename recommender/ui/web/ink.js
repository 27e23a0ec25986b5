// The pens: svg shapes with short numbers, and the few figures that many pictures share.

const tag = (name, attrs, body) =>
  `<${name} ${Object.entries(attrs)
    .map(([k, v]) => `${k}="${typeof v === "number" ? n1(v) : v}"`)
    .join(" ")}${body == null ? "/>" : `>${body}</${name}>`}`;
const circle = (x, y, radius, fill, more = {}) => tag("circle", { cx: x, cy: y, r: radius, fill, ...more });
const ring = (x, y, radius, stroke, thick, more = {}) => circle(x, y, radius, "none", { stroke, "stroke-width": thick, ...more });
const box = (x, y, w, h, fill, more = {}) => tag("rect", { x, y, width: w, height: h, fill, ...more });
const shape = (points, fill, more = {}) => tag("polygon", { points: points.map(([x, y]) => `${n1(x)},${n1(y)}`).join(" "), fill, ...more });
const path = (d, fill, more = {}) => tag("path", { d, fill, ...more });
const line = (x1, y1, x2, y2, stroke, thick, more = {}) => tag("line", { x1, y1, x2, y2, stroke, "stroke-width": thick, ...more });
const times = (n, draw) => range(n).map(draw).join("");

function ridge(w, h, base, tall, r, fill, flat = false) {
  // a skyline of hills or mesas from left to right
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
function swell(w, h, y, high, long, shift, fill) {
  // one wave, filled to the bottom
  let d = `M0 ${h}V${n1(y)}`;
  for (let x = 0; x <= w + long; x += long) d += `q${n1(long / 4)} ${n1(-high)} ${n1(long / 2)} 0t${n1(long / 2)} 0`;
  return `<g transform="translate(${n1(-shift)} 0)">${path(`${d}V${h}z`, fill)}</g>${box(0, h - 1, w, 1, fill)}`;
}
function dots(w, h, r, fill, n, m) {
  return times(n, () => circle(r() * w, r() * h, m * between(r, 0.0015, 0.006), fill, { opacity: 0.8 }));
}
function sparkle(x, y, s, fill) {
  const q = s * 0.13;
  return shape(
    [
      [x, y - s],
      [x + q, y - q],
      [x + s, y],
      [x + q, y + q],
      [x, y + s],
      [x - q, y + q],
      [x - s, y],
      [x - q, y - q],
    ],
    fill,
  );
}
