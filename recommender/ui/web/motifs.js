// Which pictures suit which genre. A name may stand twice: it then comes up twice as often.

const MOTIFS = { ...LANDSCAPES, ...SCENES, ...PATTERNS };

const GENRE_MOTIFS = {
  Western: ["mesas", "sunset", "tracks", "mesas"],
  "Film-Noir": ["blinds", "doorway", "beams", "skyline"],
  Musical: ["bars", "record", "deco", "rays"],
  Documentary: ["contour", "halftone", "hatch", "window"],
  Animation: ["tiles", "bubbles", "confetti", "arches"],
  Horror: ["claws", "tree", "eye", "moon", "stairs"],
  War: ["beams", "chevrons", "hatch", "sunset"],
  "Sci-Fi": ["grid", "orbits", "eclipse", "contour", "rings"],
  Fantasy: ["moon", "stars", "peaks", "tree"],
  "Children's": ["arches", "balloons", "confetti", "waves", "tiles"],
  Mystery: ["keyhole", "stairs", "moon", "doorway"],
  Romance: ["venn", "bokeh", "petals", "waves", "sunset"],
  Crime: ["blinds", "skyline", "target", "alone"],
  Thriller: ["spiral", "slashes", "alone", "eye", "rings", "target"],
  Adventure: ["peaks", "compass", "waves", "sunset"],
  Action: ["slashes", "rays", "chevrons", "tracks"],
  Comedy: ["halftone", "rays", "harlequin", "tiles", "bubbles"],
  Drama: ["window", "planes", "alone", "doorway", "tiles", "waves", "sunset", "rings"],
};
