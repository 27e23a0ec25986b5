// The one copy of all drawing code in the page. Views wait for it, so that their own messages carry data alone.

function guarded() {
  // the policy of the page where no header gave one; it holds from here on
  if (document.head.querySelector('meta[http-equiv="Content-Security-Policy"]')) return;
  document.head.append(Object.assign(document.createElement("meta"), { httpEquiv: "Content-Security-Policy", content: POLICY }));
}

// Streamlit brings the styles by code of its own, which may come after this, and what is drawn without them jumps. After ten seconds it is drawn all the same.
async function dressed() {
  const styled = () => getComputedStyle(document.documentElement).getPropertyValue("--mq-night");
  for (let n = 0; n < 500 && !styled(); n++) await new Promise((done) => setTimeout(done, 20));
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
  const kit = { inHand, home, film, picker, faces, places, tastemap, shelf, arrivals, slope, columns, ballot, firstRow, findTaste, rateFilms, portraitOf, art, tour, lineage };
  dressed().then(() => globalThis.marqueeKit.open(kit));
}
