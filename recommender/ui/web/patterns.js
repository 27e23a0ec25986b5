// Pictures that fill the sheet, on a sheet w x h around a focus f {x, y}; r: seeded chance, p: inks, m: the shorter side.

const PATTERNS = {
  rays(w, h, r, p, f) {
    const n = pick(r, [12, 16, 20]),
      R = Math.hypot(w, h),
      turn = r();
    return (
      times(n, (i) => {
        const a = ((i + turn) / n) * 2 * Math.PI,
          b = a + Math.PI / n;
        return shape(
          [
            [f.x, f.y],
            [f.x + R * Math.cos(a), f.y + R * Math.sin(a)],
            [f.x + R * Math.cos(b), f.y + R * Math.sin(b)],
          ],
          p.shade,
          { opacity: 0.55 },
        );
      }) +
      circle(f.x, f.y, Math.min(w, h) * between(r, 0.17, 0.26), p.main) +
      circle(f.x, f.y, Math.min(w, h) * 0.11, p.second)
    );
  },
  rings(w, h, r, p, f, m) {
    const n = pick(r, [5, 6, 7]),
      tints = [p.main, p.top, p.second, p.bottom];
    return times(n, (i) => circle(f.x + i * m * 0.004, f.y + i * m * 0.012, m * 0.44 * (1 - i / n), tints[i % 4]));
  },
  slashes(w, h, r, p) {
    const lean = between(r, 0.35, 0.8) * h,
      n = 7;
    return times(n, (i) => {
      const x = (i / n) * (w + lean) - lean + between(r, -6, 6),
        t = between(r, 0.03, 0.1) * w;
      return shape(
        [
          [x, h],
          [x + t, h],
          [x + t + lean, 0],
          [x + lean, 0],
        ],
        [p.main, p.second, p.shade][i % 3],
        { opacity: i % 3 === 2 ? 0.8 : 1 },
      );
    });
  },
  chevrons(w, h, r, p, f, m) {
    const n = 6,
      s = m * 0.17,
      up = r() < 0.6 ? -1 : 1;
    return times(n, (i) => {
      const y = f.y + up * (i - n / 2) * s * -0.95;
      return shape(
        [
          [0, y + up * s * -1.9],
          [f.x, y],
          [w, y + up * s * -1.9],
          [w, y + up * s * -1.35],
          [f.x, y + s * 0.55 * up],
          [0, y + up * s * -1.35],
        ],
        [p.main, p.second, p.shade][i % 3],
      );
    });
  },
  bubbles(w, h, r, p, f, m) {
    const tints = [p.main, p.second, p.shade];
    return times(7, (i) =>
      circle(f.x + m * between(r, -0.4, 0.4), f.y + m * between(r, -0.36, 0.34), m * between(r, 0.1, 0.25), tints[i % 3], { opacity: 0.86 }),
    );
  },
  bokeh(w, h, r, p, f, m) {
    return times(16, (i) =>
      circle(between(r, 0, w), f.y + m * between(r, -0.6, 0.6), m * between(r, 0.04, 0.2), i % 3 ? p.main : p.second, {
        opacity: n1(between(r, 0.16, 0.55) * 10) / 10,
      }),
    );
  },
  confetti(w, h, r, p, f, m) {
    return times(38, (i) => {
      const x = between(r, 0, w),
        y = f.y + m * between(r, -0.6, 0.6),
        s = m * between(r, 0.025, 0.07),
        c = [p.main, p.second, p.shade, p.ink][i % 4];
      return i % 3
        ? box(x, y, s, s * between(r, 0.4, 1.6), c, { transform: `rotate(${Math.round(r() * 90)} ${n1(x)} ${n1(y)})` })
        : circle(x, y, s * 0.6, c);
    });
  },
  halftone(w, h, r, p, f) {
    const step = w / 13,
      far = Math.hypot(w, h) * 0.52,
      out = [];
    for (let y = 0; y < h; y += step)
      for (let x = (Math.round(y / step) % 2) * step * 0.5; x < w + step; x += step) {
        const s = step * 0.62 * (1 - Math.hypot(x - f.x, y - f.y) / far);
        if (s > 0.5) out.push(circle(x, y, s, p.main));
      }
    return out.join("");
  },
  harlequin(w, h, r, p) {
    const a = w / pick(r, [3, 4]),
      b = a * 1.45,
      out = [];
    for (let j = 0, y = -b / 2; y < h + b; y += b / 2, j++)
      for (let x = (j % 2) * a * 0.5 - a / 2; x < w + a; x += a)
        out.push(
          shape(
            [
              [x, y - b / 2],
              [x + a / 2, y],
              [x, y + b / 2],
              [x - a / 2, y],
            ],
            [p.main, p.shade, p.second, p.top][Math.floor(r() * 4)],
          ),
        );
    return out.join("");
  },
  tiles(w, h, r, p) {
    // quarter and half rounds on a square grid
    const n = w > h ? 7 : 4,
      s = w / n,
      tints = [p.main, p.second, p.shade, p.ink, p.bottom],
      out = [];
    for (let j = 0; j * s < h; j++)
      for (let i = 0; i < n; i++) {
        const x = i * s,
          y = j * s,
          c = pick(r, tints),
          d = pick(r, tints),
          kind = Math.floor(r() * 5),
          turn = 90 * Math.floor(r() * 4);
        const body = [
          `M0 0H${n1(s)}A${n1(s)} ${n1(s)} 0 0 1 0 ${n1(s)}z`,
          `M0 ${n1(s / 2)}A${n1(s / 2)} ${n1(s / 2)} 0 0 1 ${n1(s)} ${n1(s / 2)}z`,
          `M0 0L${n1(s)} ${n1(s)}H0z`,
        ][kind];
        if (r() < 0.5) out.push(box(x, y, s + 0.4, s + 0.4, d, { opacity: 0.5 }));
        out.push(
          body
            ? `<g transform="translate(${n1(x)} ${n1(y)}) rotate(${turn} ${n1(s / 2)} ${n1(s / 2)})">${path(body, c)}</g>`
            : circle(x + s / 2, y + s / 2, s * (kind === 3 ? 0.5 : 0.22), c),
        );
      }
    return out.join("");
  },
  arches(w, h, r, p, f, m) {
    const tints = [p.main, p.second, p.shade, p.ink, p.main, p.top],
      R = m * 0.46,
      y = f.y + m * 0.2;
    return tints
      .map((c, i) =>
        path(
          `M${n1(f.x - R * (1 - i / 6))} ${n1(y)}a${n1(R * (1 - i / 6))} ${n1(R * (1 - i / 6))} 0 0 1 ${n1(2 * R * (1 - i / 6))} 0V${n1(y + m * 0.16)}H${n1(f.x - R * (1 - i / 6))}z`,
          c,
        ),
      )
      .join("");
  },
  deco(w, h, r, p, f, m) {
    const s = w / (w > h ? 9 : 5),
      out = [],
      low = f.y - m * 0.5;
    for (let j = 0, y = low; y < h + s; y += s * 0.5, j++)
      for (let x = (j % 2) * s * 0.5; x < w + s; x += s)
        out.push(...[1, 0.72, 0.44].map((k, i) => circle(x, y + s * 0.5, s * 0.5 * k, [p.shade, p.main, p.bottom][i])));
    return out.join("");
  },
  bars(w, h, r, p, f, m) {
    const n = w > h ? 24 : 11,
      s = w / n;
    return times(n, (i) => {
      const high = m * (0.1 + 0.42 * Math.abs(Math.sin(i * between(r, 0.5, 0.9) + r())));
      return box(i * s + s * 0.14, f.y - high, s * 0.72, high * 2, [p.main, p.second, p.shade][i % 3], { rx: s * 0.36 });
    });
  },
  contour(w, h, r, p, f, m) {
    const a = r() * 9,
      b = r() * 9;
    return times(11, (k) => {
      const R = m * (0.05 + 0.056 * k);
      let d = "";
      for (let i = 0; i <= 40; i++) {
        const t = (i / 40) * 2 * Math.PI,
          q = R * (1 + 0.16 * Math.sin(2 * t + a) + 0.1 * Math.sin(3 * t + b + k * 0.12));
        d += `${i ? "L" : "M"}${n1(f.x + q * Math.cos(t))} ${n1(f.y + q * Math.sin(t))}`;
      }
      return path(`${d}z`, k === 0 ? p.second : "none", { stroke: k % 4 === 0 ? p.second : p.main, "stroke-width": k % 4 === 0 ? 1.8 : 0.9 });
    });
  },
  hatch(w, h, r, p, f, m) {
    const s = m * 0.05,
      a = Math.round(between(r, 20, 70));
    return `<g transform="rotate(${a} ${n1(f.x)} ${n1(f.y)})">${times(22, (i) => box(f.x - m, f.y + (i - 11) * s, 2 * m, s * (0.12 + 0.034 * i), i > 15 ? p.second : p.main))}</g>`;
  },
};
