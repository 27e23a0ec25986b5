// The one copy of all drawing code in the page. Views wait for it, so that their own messages carry data alone.

export default function () {
  ["Anton", "Instrument Serif", "Shrikhand", "Cinzel"].forEach((name) => document.fonts.load(`20px "${name}"`).catch(() => {}));
  globalThis.marqueeKit ??= (() => {
    let open;
    const ready = new Promise((done) => {
      open = done;
    });
    return { ready, open };
  })();
  globalThis.marqueeKit.open({ home, film, picker, faces, places, tastemap, shelf, arrivals, slope, columns, ballot, firstRow, findTaste, rateFilms, portraitOf });
}
