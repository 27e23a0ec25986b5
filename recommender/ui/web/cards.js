// A card and a track of cards. Posters are drawn when they come near the screen; a changed row moves its cards, it does not blink.

const label = (film) =>
  [film.title, film.year, matched(film), film.certificate].filter(Boolean).join(", ") + (film.sentence ? `. ${film.sentence}${film.simulated ? " (simulated)" : ""}` : "");

const BADGES = { love: "love", like: "like", dislike: "nope" };
const badges = (film, taste) => {
  const mark = BADGES[taste.marks?.[film.id]],
    listed = taste.list?.includes(film.id);
  return `${mark ? `<i class="mq-badge">${icon(mark)}</i>` : ""}${listed ? `<i class="mq-badge">${icon("check")}</i>` : ""}`;
};

function cardBody(film, taste) {
  return `<button type="button" class="mq-card" tabindex="-1" data-film="${+film.id}"><span class="mq-name">${esc(label(film))}</span><span class="mq-poster"><span class="mq-badges">${badges(film, taste)}</span></span>
    <span class="mq-caption" aria-hidden="true"><b>${esc(film.title)}</b><span>${matched(film) ? `<em>${esc(matched(film))}</em>` : ""}${[
      film.year || "",
      film.certificate,
    ]
      .filter(Boolean)
      .map((x) => `<i>${esc(x)}</i>`)
      .join("")}</span>${film.sentence ? `<span class="mq-word">${esc(film.sentence)}${film.simulated ? " (simulated)" : ""}</span>` : ""}</span></button>`;
}

const nearby = new IntersectionObserver(
  (seen) =>
    seen.forEach((e) => {
      if (e.isIntersecting) draw(e.target);
    }),
  { rootMargin: "500px", scrollMargin: "500px" },
);
function draw(li) {
  nearby.unobserve(li);
  if (li.mqDrawn === li.mqFilm.id) return;
  li.mqDrawn = li.mqFilm.id;
  li.querySelector(".mq-poster").insertAdjacentHTML("afterbegin", poster(li.mqFilm));
}

// Bring the <li> of a list to `films`: known films keep their element and drawing, new ones are made, others go.
function fill(list, films, taste) {
  fills([[list, films]], taste);
}

// Many lists at once: first all are measured, then all are written, then all are moved, so that the browser lays the page out once and not for each.
function fills(pairs, taste) {
  const marks = (film) => [film, taste.marks?.[film.id], taste.list?.includes(film.id)],
    changed = pairs.map(([list, films]) => ({ list, films, sign: JSON.stringify(films.map(marks)) })).filter((x) => x.list.mqSign !== x.sign);
  const before = changed.map(({ list }) => (laidOut(list) ? { was: spots(list), left: list.scrollLeft } : { was: null, left: null }));
  changed.forEach(({ list, films, sign }) => {
    list.mqSign = sign;
    write(list, films, taste);
  });
  const tracks = changed.map(({ list }, i) => [list, before[i].left]).filter(([list]) => list.classList.contains("mq-track"));
  tracks.forEach(([list]) => {
    list.style.scrollSnapType = "none";
  });
  tracks.forEach(([list, left]) => left != null && stay(list, left));
  changed.forEach(({ list }, i) => glide(list, before[i].was));
}

function write(list, films, taste) {
  const known = new Map([...list.children].map((li) => [li.mqFilm.id, li])),
    held = list.contains(document.activeElement) ? document.activeElement : null;
  films.forEach((film, at) => {
    let li = known.get(film.id);
    const sign = JSON.stringify([film, taste.marks?.[film.id], taste.list?.includes(film.id)]);
    if (!li) li = document.createElement("li");
    known.delete(film.id);
    li.mqFilm = film;
    if (li.mqSign !== sign) {
      const art = li.querySelector(".mq-art"),
        focused = li.contains(document.activeElement);
      li.innerHTML = cardBody(film, taste);
      if (art) li.querySelector(".mq-poster").prepend(art);
      else nearby.observe(li);
      if (focused) li.firstElementChild.focus({ preventScroll: true });
      li.mqSign = sign;
    }
    if (list.children[at] !== li) list.insertBefore(li, list.children[at] ?? null);
  });
  known.forEach((li) => {
    nearby.unobserve(li);
    li.remove();
  });
  if (held?.isConnected && document.activeElement !== held) held.focus({ preventScroll: true }); // moving an element takes the focus from it
  const cards = cardsOf(list);
  if (!cards.some((c) => c.tabIndex === 0) && cards[0]) cards[0].tabIndex = 0;
}

// A row far from the screen is not laid out, and whoever asks where its cards stand has it laid out at once.
const laidOut = (list) => list.checkVisibility?.({ contentVisibilityAuto: true }) ?? true;

function stay(list, left) {
  // snapping follows the card that was first, wherever it has gone: hold the place until the browser has forgotten it
  list.style.scrollSnapType = "none";
  list.scrollLeft = left;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (Math.abs(list.scrollLeft - left) < 400) list.scrollLeft = left;
      list.style.scrollSnapType = "";
    }),
  );
}

const cardsOf = (list) => [...list.querySelectorAll(".mq-card")];
const onScreen = (b) => b.bottom > -50 && b.top < innerHeight + 50 && b.right > -50 && b.left < innerWidth + 50;

function spots(list) {
  // where each card on screen stands now
  const frame = list.getBoundingClientRect();
  if (!list.children.length || !onScreen(frame) || calm()) return null;
  return new Map([...list.children].map((li) => [li, li.getBoundingClientRect()]));
}
function glide(list, was) {
  // from there to where it stands after the change
  if (!was) return;
  [...list.children].forEach((li) => {
    const now = li.getBoundingClientRect(),
      old = was.get(li);
    if (!onScreen(now) && !(old && onScreen(old))) return;
    if (!old) {
      li.animate(
        [
          { opacity: 0, transform: "translateY(8px)" },
          { opacity: 1, transform: "none" },
        ],
        { duration: 420, easing: "ease-out" },
      );
      return;
    }
    const dx = old.left - now.left,
      dy = old.top - now.top;
    if (Math.abs(dx) + Math.abs(dy) > 1 && Math.abs(dx) < innerWidth)
      li.animate([{ transform: `translate(${dx}px,${dy}px)` }, { transform: "none" }], { duration: 520, easing: "cubic-bezier(.2,.7,.2,1)" });
  });
}

function step(list, card, key) {
  // the card an arrow key leads to, inside one list
  const cards = cardsOf(list),
    at = cards.indexOf(card);
  if (key === "Home") return cards[0];
  if (key === "End") return cards.at(-1);
  if (/^Page/.test(key)) {
    const shown = Math.max(1, Math.floor(list.clientWidth / card.parentElement.offsetWidth));
    return cards[Math.min(Math.max(at + (key === "PageDown" ? shown : -shown), 0), cards.length - 1)];
  }
  if (key === "ArrowRight") return cards[at + 1];
  if (key === "ArrowLeft") return cards[at - 1];
  const here = card.getBoundingClientRect(),
    down = key === "ArrowDown" ? 1 : -1;
  const others = cards.filter((c) => down * (c.getBoundingClientRect().top - here.top) > 10);
  return others.sort((a, b) => far(a, here) - far(b, here))[0];
}
const far = (card, here) => {
  const b = card.getBoundingClientRect();
  return Math.abs(b.left - here.left) + 3 * Math.abs(b.top - here.top);
};

function enter(card) {
  cardsOf(card.closest("ul")).forEach((c) => {
    c.tabIndex = c === card ? 0 : -1;
  });
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest", inline: "nearest", behavior: calm() ? "auto" : "smooth" });
}

function roam(root) {
  // arrows, Home, End and a screenful on or back between cards; up and down from row to row
  return (e) => {
    const card = e.target.closest(".mq-card");
    if (!card || e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[a-z]$/i.test(e.key)) {
      e.stopPropagation();
      return;
    } // single letters are shortcuts of the page around us
    if (!/^(Arrow|Home$|End$|Page)/.test(e.key)) return;
    const list = card.closest("ul"),
      lists = [...root.querySelectorAll("ul.mq-cards")];
    let to = step(list, card, e.key);
    if (!to && /Up|Down/.test(e.key)) {
      const next = lists[lists.indexOf(list) + (e.key === "ArrowDown" ? 1 : -1)],
        here = card.getBoundingClientRect();
      to = next && cardsOf(next).sort((a, b) => far(a, here) - far(b, here))[0];
    }
    e.preventDefault();
    if (to) enter(to);
  };
}

const trackHtml = (name) =>
  `<div class="mq-lane"><button type="button" class="mq-turn mq-back" tabindex="-1" aria-hidden="true" hidden>${icon("left")}</button><ul class="mq-cards mq-track" ${name}></ul><button type="button" class="mq-turn mq-on" tabindex="-1" aria-hidden="true">${icon("right")}</button></div>`;

function lane(el) {
  // the two arrows of a track know where it stands
  const track = el.querySelector(".mq-track"),
    [back, on] = el.querySelectorAll(".mq-turn");
  const set = () => {
    back.hidden = track.scrollLeft < 8;
    on.hidden = track.scrollLeft + track.clientWidth > track.scrollWidth - 8;
  };
  track.onscroll = set;
  el.addEventListener("contentvisibilityautostatechange", (e) => {
    if (!e.skipped && track.style.scrollSnapType) stay(track, track.scrollLeft);
  });
  [back, on].forEach((b, i) => {
    b.onclick = (e) => {
      e.stopPropagation();
      track.scrollBy({ left: (i ? 0.86 : -0.86) * track.clientWidth, behavior: calm() ? "auto" : "smooth" });
    };
  });
  new ResizeObserver(set).observe(track);
}
