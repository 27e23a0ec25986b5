// Pictures with a horizon or a sky, on a sheet w x h around a focus f {x, y}; r: seeded chance, p: inks, m: the shorter side.

const LANDSCAPES = {
  sunset(w, h, r, p, f, m) {
    const R = m * between(r, 0.27, 0.36),
      y = f.y,
      cuts = r() < 0.5 ? times(5, (i) => box(f.x - R, y + R * (0.12 + i * 0.19), 2 * R, R * (0.03 + i * 0.022), p.bottom)) : "";
    return circle(f.x, y, R, p.main) + cuts + ridge(w, h, y + R * 1.05, m * 0.16, r, p.shade) + ridge(w, h, y + R * 1.3, m * 0.12, r, p.bottom);
  },
  mesas(w, h, r, p, f, m) {
    const y = f.y + m * 0.25;
    return (
      circle(f.x + m * between(r, -0.22, 0.22), f.y - m * 0.05, m * 0.2, p.second) +
      ridge(w, h, y, m * 0.3, r, p.main, true) +
      ridge(w, h, y + m * 0.16, m * 0.14, r, p.shade, true)
    );
  },
  peaks(w, h, r, p, f, m) {
    const y = f.y + m * 0.3;
    return (
      circle(f.x + m * between(r, -0.25, 0.25), f.y - m * 0.16, m * 0.13, p.main) +
      ridge(w, h, y, m * 0.55, r, p.second) +
      ridge(w, h, y + m * 0.14, m * 0.42, r, p.shade, false) +
      ridge(w, h, y + m * 0.3, m * 0.25, r, p.bottom)
    );
  },
  waves(w, h, r, p, f, m) {
    const long = m * between(r, 0.4, 0.8),
      tints = [p.second, p.main, p.shade, p.second, p.bottom];
    return (
      circle(f.x, f.y - m * 0.12, m * 0.2, p.main) +
      tints.map((c, i) => swell(w, h, f.y + m * (0.06 + i * 0.13), m * 0.09, long * (1 + i * 0.14), r() * long, c)).join("")
    );
  },
  grid(w, h, r, p, f, m) {
    const y = f.y + m * 0.2,
      R = m * between(r, 0.25, 0.33);
    const floor =
      times(13, (i) => line(f.x + (i - 6) * m * 0.045, y, f.x + (i - 6) * m * 0.42, h, p.second, 0.9, { opacity: 0.8 })) +
      times(9, (i) => line(0, y + (h - y) * (i / 8) ** 2, w, y + (h - y) * (i / 8) ** 2, p.second, 0.9, { opacity: 0.8 }));
    return (
      dots(w, y, r, p.ink, 28, m) +
      circle(f.x, f.y - m * 0.02, R, p.main) +
      times(4, (i) => box(f.x - R, f.y + R * (0.1 + 0.2 * i), 2 * R, 1.5 + 1.4 * i, p.bottom)) +
      box(0, y, w, h - y, p.bottom) +
      floor
    );
  },
  orbits(w, h, r, p, f, m) {
    const tilt = between(r, -35, 35);
    return (
      dots(w, h, r, p.ink, 40, m) +
      `<g transform="rotate(${n1(tilt)} ${n1(f.x)} ${n1(f.y)})">${times(4, (i) => tag("ellipse", { cx: f.x, cy: f.y, rx: m * (0.26 + 0.1 * i), ry: m * (0.07 + 0.035 * i), fill: "none", stroke: p.second, "stroke-width": i === 1 ? 2.2 : 0.8 }))}</g>` +
      circle(f.x, f.y, m * 0.19, p.main) +
      path(
        `M${n1(f.x)} ${n1(f.y - m * 0.19)}a${n1(m * 0.19)} ${n1(m * 0.19)} 0 0 1 0 ${n1(m * 0.38)}a${n1(m * 0.3)} ${n1(m * 0.3)} 0 0 0 0 ${n1(-m * 0.38)}`,
        p.shade,
        { opacity: 0.65 },
      ) +
      circle(f.x + m * 0.34, f.y - m * 0.13, m * 0.03, p.second)
    );
  },
  eclipse(w, h, r, p, f, m) {
    const R = m * between(r, 0.24, 0.32);
    return (
      dots(w, h, r, p.ink, 34, m) +
      times(4, (i) => circle(f.x, f.y, R * (1.62 - i * 0.16), p.main, { opacity: 0.1 + 0.06 * i })) +
      circle(f.x, f.y, R * 1.04, p.main) +
      circle(f.x + R * 0.09, f.y + R * 0.07, R, p.bottom)
    );
  },
  stars(w, h, r, p, f, m) {
    return (
      dots(w, h, r, p.ink, 46, m) +
      times(5, (i) =>
        sparkle(f.x + m * between(r, -0.4, 0.4), f.y + m * between(r, -0.35, 0.3), m * (i ? between(r, 0.03, 0.08) : 0.22), i ? p.second : p.main),
      )
    );
  },
  moon(w, h, r, p, f, m) {
    const R = m * between(r, 0.22, 0.3);
    return (
      dots(w, f.y, r, p.ink, 22, m) +
      circle(f.x, f.y, R, p.main) +
      circle(f.x + R * between(r, 0.3, 0.55), f.y - R * 0.18, R * 0.92, p.top) +
      times(3, (i) =>
        box(f.x - m * between(r, 0.2, 0.5), f.y + R * (0.45 + i * 0.3), m * between(r, 0.4, 0.8), m * 0.022, p.shade, { rx: m * 0.011 }),
      ) +
      ridge(w, h, h * 0.97, m * 0.14, r, p.shade)
    );
  },
  tree(w, h, r, p, f, m) {
    const branches = [];
    const grow = (x, y, a, l, thick) => {
      const X = x + l * Math.cos(a),
        Y = y + l * Math.sin(a);
      branches.push(line(x, y, X, Y, p.shade === p.bottom ? p.ink : p.bottom, thick, { "stroke-linecap": "round" }));
      if (thick > 0.9) range(2).forEach((i) => grow(X, Y, a + between(r, 0.2, 0.65) * (i ? 1 : -1), l * between(r, 0.68, 0.82), thick * 0.66));
    };
    grow(f.x, f.y + m * 0.46, -Math.PI / 2 + between(r, -0.12, 0.12), m * 0.23, m * 0.04);
    return (
      circle(f.x + m * between(r, -0.12, 0.12), f.y - m * 0.02, m * 0.33, p.main) +
      branches.join("") +
      ridge(w, h, f.y + m * 0.5, m * 0.06, r, p.bottom)
    );
  },
  skyline(w, h, r, p, f, m) {
    const out = [circle(f.x + m * between(r, -0.2, 0.2), f.y - m * 0.1, m * 0.2, p.main)];
    [p.second, p.shade, p.bottom].forEach((c, layer) => {
      let x = -4;
      while (x < w) {
        const b = m * between(r, 0.08, 0.17),
          top = f.y + m * (0.02 + layer * 0.17) - m * between(r, 0, 0.26);
        out.push(box(x, top, b + 1, h - top, c));
        if (layer)
          range(5).forEach(
            (i) =>
              r() < 0.45 && out.push(box(x + b * between(r, 0.15, 0.7), top + m * 0.05 * (i + 1), m * 0.016, m * 0.024, p.main, { opacity: 0.9 })),
          );
        x += b;
      }
    });
    return out.join("");
  },
  beams(w, h, r, p, f, m) {
    return (
      times(3, (i) => {
        const x = w * (0.2 + 0.3 * i),
          a = between(r, -0.5, 0.5);
        return shape(
          [
            [x - 3, h * 0.98],
            [x + 3, h * 0.98],
            [x + a * w + m * 0.16, -2],
            [x + a * w - m * 0.16, -2],
          ],
          i % 2 ? p.second : p.main,
          { opacity: 0.42 },
        );
      }) +
      circle(f.x, f.y - m * 0.06, m * 0.12, p.main) +
      ridge(w, h, h * 0.96, m * 0.16, r, p.bottom, true)
    );
  },
  tracks(w, h, r, p, f, m) {
    const y = f.y - m * 0.05;
    return (
      circle(f.x, y - m * 0.04, m * 0.2, p.main) +
      box(0, y, w, h - y, p.shade) +
      shape(
        [
          [f.x - 2, y],
          [f.x + 2, y],
          [f.x + m * 0.42, h],
          [f.x - m * 0.42, h],
        ],
        p.bottom,
      ) +
      times(6, (i) => {
        const t = ((i + 0.4) / 6) ** 1.8,
          t2 = ((i + 0.85) / 6) ** 1.8,
          a = h - y;
        return shape(
          [
            [f.x - 1.5 - t * 7, y + a * t],
            [f.x + 1.5 + t * 7, y + a * t],
            [f.x + 1.5 + t2 * 7, y + a * t2],
            [f.x - 1.5 - t2 * 7, y + a * t2],
          ],
          p.second,
        );
      })
    );
  },
};
