// The one copy of all drawing code in the page. Views wait for it, so that their own messages carry data alone.

function guarded() {
  // the policy of the page where no header gave one; it holds from here on
  if (document.head.querySelector('meta[http-equiv="Content-Security-Policy"]')) return;
  document.head.append(Object.assign(document.createElement("meta"), { httpEquiv: "Content-Security-Policy", content: POLICY }));
}

export default function () {
  guarded();
  ["Anton", "Instrument Serif", "Shrikhand", "Cinzel"].forEach((name) => document.fonts.load(`20px "${name}"`).catch(() => {}));
  globalThis.marqueeKit ??= (() => {
    let open;
    const ready = new Promise((done) => {
      open = done;
    });
    return { ready, open };
  })();
  globalThis.marqueeKit.open({ inHand, home, film, picker, faces, places, tastemap, shelf, arrivals, slope, columns, ballot, firstRow, findTaste, rateFilms, portraitOf, art, tour, lineage });
}
