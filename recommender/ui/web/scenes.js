// Pictures of one thing, on a sheet w x h around a focus f {x, y}; r: seeded chance, p: inks, m: the shorter side.

const SCENES = {
  eye(w, h, r, p, f, m) {
    const a = m * 0.43,
      b = m * between(r, 0.2, 0.27),
      lid = `M${n1(f.x - a)} ${n1(f.y)}Q${n1(f.x)} ${n1(f.y - 2 * b)} ${n1(f.x + a)} ${n1(f.y)}Q${n1(f.x)} ${n1(f.y + 2 * b)} ${n1(f.x - a)} ${n1(f.y)}z`;
    return (
      path(lid, p.main) +
      circle(f.x, f.y, b * 0.86, p.second) +
      circle(f.x, f.y, b * 0.46, p.bottom) +
      circle(f.x + b * 0.2, f.y - b * 0.24, b * 0.13, p.ink) +
      times(9, (i) => {
        const t = (i - 4) / 4.5;
        return line(f.x + a * t, f.y - 1.12 * b * (1 - t * t), f.x + a * t * 1.18, f.y - 1.5 * b * (1 - t * t) - b * 0.2, p.main, 2);
      })
    );
  },
  claws(w, h, r, p, f, m) {
    return times(4, (i) => {
      const x = f.x + m * (-0.3 + 0.2 * i),
        s = m * between(r, 0.55, 0.72),
        y = f.y - s * 0.55;
      return path(
        `M${n1(x + m * 0.12)} ${n1(y)}Q${n1(x + m * 0.06)} ${n1(y + s * 0.5)} ${n1(x - m * 0.08)} ${n1(y + s)}Q${n1(x - m * 0.03)} ${n1(y + s * 0.45)} ${n1(x + m * 0.12)} ${n1(y)}z`,
        i % 2 ? p.main : p.second,
      );
    });
  },
  figure(w, h, r, p, f, m) {
    // one person, a long shadow
    const s = m * 0.26,
      x = f.x,
      y = f.y + m * 0.12,
      long = between(r, -1.5, 1.5) * s;
    return (
      shape(
        [
          [x - s * 0.16, y],
          [x + s * 0.16, y],
          [x + long + s * 0.4, y + s * 1.9],
          [x + long - s * 0.4, y + s * 1.9],
        ],
        p.bottom,
        { opacity: 0.55 },
      ) +
      path(
        `M${n1(x - s * 0.2)} ${n1(y)}L${n1(x - s * 0.15)} ${n1(y - s * 0.62)}Q${n1(x)} ${n1(y - s * 0.82)} ${n1(x + s * 0.15)} ${n1(y - s * 0.62)}L${n1(x + s * 0.2)} ${n1(y)}H${n1(x + s * 0.04)}L${n1(x)} ${n1(y - s * 0.26)}L${n1(x - s * 0.04)} ${n1(y)}z`,
        p.main,
      ) +
      circle(x, y - s * 0.88, s * 0.13, p.main)
    );
  },
  alone(w, h, r, p, f, m) {
    return (
      circle(f.x, f.y - m * 0.02, m * between(r, 0.3, 0.38), p.main) +
      box(0, f.y + m * 0.12, w, h, p.bottom, { opacity: 0.88 }) +
      MOTIFS.figure(w, h, r, { ...p, main: p.bottom, bottom: p.shade }, f, m)
    );
  },
  window(w, h, r, p, f, m) {
    const lean = between(r, 0.12, 0.35) * (r() < 0.5 ? -1 : 1),
      pane = (i, j) => {
        const a = m * 0.25,
          x = f.x + (i - 1) * a * 1.08,
          y = f.y - m * 0.32 + j * a * 1.2;
        return shape(
          [
            [x, y],
            [x + a, y + a * lean],
            [x + a, y + a * (1.1 + lean)],
            [x, y + a * 1.1],
          ],
          p.main,
          { opacity: [1, 0.86, 0.7][j] },
        );
      };
    return times(6, (k) => pane(k % 2, Math.floor(k / 2))) + line(0, f.y + m * 0.56, w, f.y + m * 0.56, p.second, 1.4, { opacity: 0.7 });
  },
  doorway(w, h, r, p, f, m) {
    const a = m * 0.2,
      b = m * 0.42,
      y = f.y + m * 0.3,
      side = r() < 0.5 ? -1 : 1;
    return (
      path(`M${n1(f.x - a * 1.5)} ${n1(y)}V${n1(y - b)}a${n1(a * 1.5)} ${n1(a * 1.5)} 0 0 1 ${n1(a * 3)} 0V${n1(y)}z`, p.second) +
      path(`M${n1(f.x - a)} ${n1(y)}V${n1(y - b)}a${n1(a)} ${n1(a)} 0 0 1 ${n1(a * 2)} 0V${n1(y)}z`, p.main) +
      shape(
        [
          [f.x - a, y],
          [f.x + a, y],
          [f.x + a + side * m * 0.5, h],
          [f.x - a * 2 + side * m * 0.5, h],
        ],
        p.main,
        { opacity: 0.42 },
      ) +
      MOTIFS.figure(w, h, r, { ...p, main: p.bottom }, { x: f.x, y: y - m * 0.075 }, m * 0.62)
    );
  },
  planes(w, h, r, p, f, m) {
    const t = between(r, 0.3, 0.7);
    return (
      shape(
        [
          [0, 0],
          [w, 0],
          [w, h * (t - 0.2)],
          [0, h * t],
        ],
        p.shade,
      ) +
      shape(
        [
          [w, h * (t - 0.2)],
          [w, h * (t + 0.25)],
          [w * 0.2, h * (t - 0.02)],
        ],
        p.second,
      ) +
      circle(f.x + m * between(r, -0.2, 0.2), f.y, m * between(r, 0.16, 0.26), p.main)
    );
  },
  blinds(w, h, r, p, f, m) {
    const lean = between(r, -0.12, 0.12),
      s = m * 0.075;
    return `<g transform="rotate(${n1(lean * 60)} ${n1(f.x)} ${n1(f.y)})">${circle(f.x, f.y, m * 0.34, p.main)}${times(16, (i) => box(-w, f.y + (i - 8) * s, 3 * w, s * 0.52, i % 2 ? p.bottom : p.shade))}</g>`;
  },
  keyhole(w, h, r, p, f, m) {
    const R = m * 0.15;
    return (
      circle(f.x, f.y, m * 0.4, p.shade) +
      ring(f.x, f.y, m * 0.4, p.second, 1.4) +
      circle(f.x, f.y - R * 0.5, R, p.main) +
      shape(
        [
          [f.x - R * 0.45, f.y],
          [f.x + R * 0.45, f.y],
          [f.x + R * 0.95, f.y + R * 2],
          [f.x - R * 0.95, f.y + R * 2],
        ],
        p.main,
      ) +
      MOTIFS.figure(w, h, r, { ...p, main: p.bottom }, { x: f.x, y: f.y + R * 1.2 }, m * 0.34)
    );
  },
  stairs(w, h, r, p, f, m) {
    const n = 8,
      s = m * 0.125,
      flip = r() < 0.5,
      X = (x) => (flip ? w - x : x),
      low = f.y - m * 0.36;
    const step = (i) => {
      const x = s * (i + 1) * 1.15,
        y = low + i * s;
      return shape(
        [
          [X(0), y],
          [X(x), y],
          [X(x), h],
          [X(0), h],
        ],
        i % 2 ? p.shade : p.second,
      );
    };
    return circle(X(w * 0.76), f.y - m * 0.18, m * 0.13, p.main) + times(n, (i) => step(i));
  },
  spiral(w, h, r, p, f, m) {
    let d = `M${n1(f.x)} ${n1(f.y)}`;
    for (let a = 0; a < 34; a += 0.3) {
      const R = m * 0.0165 * a;
      d += `L${n1(f.x + R * Math.cos(a))} ${n1(f.y + R * Math.sin(a))}`;
    }
    return (
      path(d, "none", { stroke: p.main, "stroke-width": m * 0.034, "stroke-linejoin": "round" }) +
      MOTIFS.figure(w, h, r, { ...p, main: p.second }, { x: f.x, y: f.y + m * 0.04 }, m * 0.5)
    );
  },
  target(w, h, r, p, f, m) {
    const R = m * 0.36;
    return (
      ring(f.x, f.y, R, p.main, 3) +
      ring(f.x, f.y, R * 0.62, p.main, 1.6) +
      circle(f.x, f.y, R * 0.13, p.second) +
      line(f.x - R * 1.25, f.y, f.x + R * 1.25, f.y, p.main, 1.4) +
      line(f.x, f.y - R * 1.25, f.x, f.y + R * 1.25, p.main, 1.4)
    );
  },
  compass(w, h, r, p, f, m) {
    const turn = Math.round(between(r, -30, 30));
    return (
      ring(f.x, f.y, m * 0.38, p.second, 1.6) +
      `<g transform="rotate(${turn} ${n1(f.x)} ${n1(f.y)})">${times(2, (k) => `<g transform="rotate(${45 * (1 - k)} ${n1(f.x)} ${n1(f.y)}) scale(1)">${sparkle(f.x, f.y, m * (k ? 0.4 : 0.25), k ? p.main : p.second)}</g>`)}</g>` +
      circle(f.x, f.y, m * 0.045, p.bottom)
    );
  },
  balloons(w, h, r, p, f, m) {
    return times(5, (i) => {
      const x = f.x + m * [-0.27, 0.24, -0.02, -0.15, 0.14][i],
        y = f.y + m * [-0.04, 0.02, -0.22, 0.18, 0.24][i],
        R = m * between(r, 0.1, 0.15);
      return (
        line(x, y + R, f.x, h, p.ink, 0.7, { opacity: 0.6 }) +
        tag("ellipse", { cx: x, cy: y, rx: R, ry: R * 1.2, fill: [p.main, p.second, p.shade][i % 3] }) +
        circle(x - R * 0.35, y - R * 0.45, R * 0.16, "#fff", { opacity: 0.5 })
      );
    });
  },
  record(w, h, r, p, f, m) {
    const R = m * 0.4;
    return (
      circle(f.x, f.y, R, p.bottom) +
      times(7, (i) => ring(f.x, f.y, R * (0.94 - i * 0.075), p.ink, 0.5, { opacity: 0.35 })) +
      circle(f.x, f.y, R * 0.36, p.main) +
      circle(f.x, f.y, R * 0.2, p.second) +
      circle(f.x, f.y, R * 0.04, p.bottom)
    );
  },
  venn(w, h, r, p, f, m) {
    const R = m * between(r, 0.23, 0.28),
      d = R * between(r, 0.5, 0.75),
      a = between(r, 0, Math.PI),
      x = d * Math.cos(a),
      y = d * Math.sin(a);
    return circle(f.x - x, f.y - y, R, p.main) + circle(f.x + x, f.y + y, R, p.second, { opacity: 0.82 });
  },
  petals(w, h, r, p, f, m) {
    const n = pick(r, [6, 8, 10]),
      L = m * between(r, 0.34, 0.44);
    return (
      times(n, (i) =>
        tag("ellipse", {
          cx: f.x,
          cy: f.y - L * 0.55,
          rx: L * 0.2,
          ry: L * 0.52,
          fill: i % 2 ? p.main : p.second,
          opacity: 0.9,
          transform: `rotate(${n1((360 / n) * i)} ${n1(f.x)} ${n1(f.y)})`,
        }),
      ) + circle(f.x, f.y, L * 0.18, p.shade)
    );
  },
};
