// Lettering by genre, and how wide it runs. The widths (percent of the size, two hexadecimal digits for each of the
// characters from space to ~) were read from the font files, so a title is set the same before and after a font arrives.

const FACES = {
  anton: { family: "Anton", caps: true, lead: 1.06, cap: 0.86 },
  serif: { family: "Instrument Serif", lead: 0.98, cap: 0.72 },
  italic: { family: "Instrument Serif", style: "italic", lead: 0.98, cap: 0.72 },
  shrikhand: { family: "Shrikhand", lead: 1.02, cap: 0.68 },
  michroma: { family: "Michroma", caps: true, lead: 1.2, cap: 0.75 },
  limelight: { family: "Limelight", lead: 1.05, cap: 0.7 },
  cinzel: { family: "Cinzel", weight: 700, lead: 1.12, cap: 0.7 },
  lilita: { family: "Lilita One", lead: 0.98, cap: 0.7 },
  slab: { family: "Alfa Slab One", caps: true, lead: 1.04, cap: 0.78 },
  pirata: { family: "Pirata One", lead: 0.92, cap: 0.79 },
};
const GENRE_FACES = {
  Western: ["slab"],
  "Film-Noir": ["limelight", "serif"],
  Musical: ["limelight"],
  Documentary: ["serif", "anton"],
  Animation: ["lilita"],
  Horror: ["pirata", "pirata", "anton"],
  War: ["slab", "anton"],
  "Sci-Fi": ["michroma"],
  Fantasy: ["cinzel", "cinzel", "pirata"],
  "Children's": ["lilita"],
  Mystery: ["serif", "limelight", "cinzel"],
  Romance: ["italic", "italic", "serif"],
  Crime: ["anton", "slab"],
  Thriller: ["anton", "anton", "serif"],
  Adventure: ["cinzel", "slab"],
  Action: ["anton"],
  Comedy: ["shrikhand", "shrikhand", "lilita"],
  Drama: ["serif", "serif", "italic", "cinzel"],
};
const WIDTHS = {
  anton:
    "17172b372e6a34151d1d2d24181f1729312131313131313131311819201f20315631302f3129283032172f2f284b32312f31302e282f2f47302d292029202f252030323132311c3233181a31194c32323232232f1f322e462e2e2722162231",
  serif:
    "111825402a3b3a1722222c35162b151a2e192825272628242b28151635353520422e3030352d293437191932294236362f3633292e362e4137302b201a202b2623282c222e241d282f16162d16462f292c2c201f1a2d273c26282320192035",
  italic:
    "111c253f2a3b341823232d35162b161a2e192825272729242c291e1e35353524422e3030362d293336191932294236362f36342a2e362e4136302b211a212b25242f2b232f231b28301d1b2d184a34292d2a251e1b33293d2d2a2620192035",
  shrikhand:
    "14242b3a4284521a2f3429421d391e2d472d47484f444841484a2323454645446a464c454d433f4c53283b4f4168494944494c454c4f4972514f493437343e571a41443642382a40472522462569484245443a3b2b453c5d3c3e42322c3235",
  michroma:
    "1c1c264b69bd771626264544163216325f5f5f5f645f5f615f6116164444445b6d6a67696c58546a6b1c546251897169616966695e6864a26a6a6429322935352f4c504d504d344f4e1621451c794e4e5050304e3f4e4e6d4f4d482f162f44",
  limelight:
    "16292b2e384e45152e2e25322124212142303d3f483d443c434321212e322e2d5e4249464d3a394f47283847365e4b524a50493a3c4d3e6040403a2d212d2e2b1c454a37493f293a49252740256c49404a492f322f4934503534372e162e3b",
  cinzel:
    "191b243a384a51142a2a27301726162b41273e383e373f363c3f16173130302e6348434e533f3c545627264c3e5f565842584b3a435249614946422a2b2a373236403c444b3836494b23224337564e4e3b4d42343c46405741403d261a2631",
  lilita:
    "131d2e533550431e2b2a383c1e341739402934353c343a3239381c1c303a2d3a57423b383e312f3e402b2e3e2c5b414639473b35323f425f443e38263b2645402334342a38312634321b1b351b4f37333833282d2536344b38362d243f242e",
  slab: "1e222449445853132525293a1827182a4934413e45414541464518183232323f73514e4850473f4e542a435441725e4f4a5150434e4e4f79504e45202a20293c283e4238423b264146231f442368463f424135342d454160403f391e1a1e3e",
  pirata:
    "13161f392a462b0f2020222a162616122b182729282b2b252b2b161624262429362b2a282b28232a2b16162b25402b2b2a2b2b2a242b2b402e2825161216262712292b282b2a202b2b16162b16402b2b2b2b2628162b2b402c2b2516121625",
};

const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "");

function width(text, face) {
  // in ems
  const table = WIDTHS[face];
  let sum = 0;
  for (const c of plain(FACES[face].caps ? text.toUpperCase() : text)) {
    const at = c.charCodeAt(0) - 32;
    sum += at >= 0 && at < 95 ? parseInt(table.slice(2 * at, 2 * at + 2), 16) / 100 : 0.75;
  }
  return sum;
}

function broken(words, face, limit) {
  // lines no wider than limit ems, filled greedily
  const lines = [];
  for (const word of words) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && width(longer, face) <= limit) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// The largest setting of a title that fits a box: {lines, size}. Very long titles are cut with an ellipsis.
function fit(title, face, w, h, largest, most = 5, smallest = 11) {
  const words = title.trim().split(/\s+/).slice(0, 40);
  const lead = FACES[face].lead;
  for (let size = largest; size >= smallest; size *= 0.95) {
    const lines = broken(words, face, w / size);
    if (lines.length <= most && lines.length * lead * size <= h && lines.every((l) => width(l, face) * size <= w)) {
      const even = balanced(words, face, lines.length, w / size);
      return { lines: even, size };
    }
  }
  const lines = broken(
    words.map((word) => word.slice(0, 24)),
    face,
    w / smallest,
  );
  const fits = Math.max(1, Math.min(most, Math.floor(h / (lead * smallest))));
  if (lines.length > fits) lines[fits - 1] = `${lines[fits - 1].slice(0, -1)}…`;
  return { lines: lines.slice(0, fits), size: smallest };
}

function balanced(words, face, count, limit) {
  // the narrowest measure that still needs only `count` lines
  const narrow = Math.max(...words.map((w) => width(w, face)));
  for (let m = narrow; m < limit; m += (limit - narrow) / 12 + 0.01) {
    const lines = broken(words, face, m);
    if (lines.length <= count) return lines;
  }
  return broken(words, face, limit);
}
