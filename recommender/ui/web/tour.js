// The guided path: a card beside the thing that its sentence is about, which wears a ring; or the chip that waits where it was left.

const tourDots = (d) => `<span class="mq-tour-dots" aria-hidden="true">${range(d.of).map((i) => `<i${i + 1 === d.step ? ' class="mq-on"' : i + 1 < d.step ? ' class="mq-past"' : ""}></i>`).join("")}</span>`;
const tourCard = (d) => `<section class="mq-tour-card" role="region" aria-label="Tour, step ${d.step} of ${d.of}" aria-describedby="mq-tour-said" tabindex="-1">
  <header><p class="mq-tour-name"></p><button type="button" class="mq-tour-skip" data-tour="skip" aria-label="Leave the tour; it can be resumed">Skip</button></header>
  <h2></h2><p class="mq-tour-line" id="mq-tour-said" role="status"></p><button type="button" class="mq-do mq-tour-act" data-tour="try" hidden></button>
  <footer>${tourDots(d)}<span class="mq-tour-way"${d.way ? "" : " hidden"}><button type="button" class="mq-do" data-tour="back"${d.step > 1 ? "" : " hidden"}>Back</button><button type="button" class="mq-do mq-first" data-tour="next">${d.step < d.of ? "Next" : "Done"}</button></span></footer></section>`;
const tourChip = (d) => `<div class="mq-tour-chip" role="region" aria-label="Tour"><button type="button" data-tour="resume">Resume the tour<span> · ${d.step} of ${d.of}</span></button><button type="button" data-tour="end" aria-label="End the tour">${icon("close")}</button></div>`;

const inSight = (el) => {
  const box = el.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && box.right > 8 && (el.closest('[data-testid="stSidebar"],.mq-track') || box.left < innerWidth - 8);
};
const tourFind = (list) => {
  for (const at of list ?? []) for (const el of document.querySelectorAll(at)) if (inSight(el)) return el;
  return null;
};

function tourRing(t, el) {
  if (t.on === el) return;
  if (t.on) {
    t.on.removeAttribute("data-mq-tour");
    t.on.removeAttribute("aria-describedby");
  }
  t.on = el;
  t.seen = el?.textContent;
  if (!el) return;
  el.setAttribute("data-mq-tour", "");
  el.setAttribute("aria-describedby", "mq-tour-said");
  tourShow(t, el);
  clearTimeout(t.later);
  t.later = setTimeout(() => tourPlace(t), calm() ? 30 : 520);
}

const tourFocus = (el) => setTimeout(() => el.focus({ preventScroll: true })); // after the kit has put it where it was

function tourShow(t, el) {
  // into sight, above the sheet on a phone; what is too tall shows its beginning
  const how = calm() ? "auto" : "smooth",
    main = el.closest('[data-testid="stMain"]');
  if (!main) return el.scrollIntoView({ block: "nearest", behavior: how });
  const track = el.closest(".mq-track"),
    box = el.getBoundingClientRect(),
    top = 92,
    low = innerHeight - (innerWidth < 700 ? t.card.offsetHeight + 20 : 36);
  if (track) track.scrollBy({ left: Math.min(0, box.left - track.getBoundingClientRect().left - 12) || Math.max(0, box.right - track.getBoundingClientRect().right + 12), behavior: how });
  main.scrollBy({ top: box.bottom > low ? Math.min(box.bottom - low, box.top - top) : Math.min(0, box.top - top), behavior: how });
}

const CORNERS = ["", "mq-tour-left", "mq-tour-up", "mq-tour-up mq-tour-left"];

function tourPlace(t) {
  // the first corner in which the card covers nothing of what it points at, else the one that covers least
  if (!t.on?.isConnected || !t.card.isConnected) return;
  const it = t.on.getBoundingClientRect();
  const hidden = (corner) => {
    t.card.className = `mq-tour-card ${corner}`;
    const c = t.card.getBoundingClientRect();
    return Math.max(0, Math.min(c.right, it.right) - Math.max(c.left, it.left)) * Math.max(0, Math.min(c.bottom, it.bottom) - Math.max(c.top, it.top));
  };
  const covers = CORNERS.map(hidden);
  t.card.className = `mq-tour-card ${CORNERS[covers.indexOf(Math.min(...covers))]}`;
}

function tourWatch(t) {
  // the page is redrawn under the ring: it moves to the new element, the card into an open dialog and out of it; where the text changed, the sentence is asked for again
  if (!t.root.isConnected) return tourEnd(t);
  const dialog = [...document.querySelectorAll('[role="dialog"]')].at(-1),
    home = dialog ?? t.root;
  if (t.card.parentElement !== home) {
    home.append(t.card);
    if (t.wants) t.card.focus({ preventScroll: true });
  }
  tourRing(t, tourFind(t.data.at));
  const text = t.on?.textContent;
  if (text !== t.seen) {
    t.seen = text;
    t.root.mqAct({ do: "again", step: t.data.step });
  }
}

// The page is longer by the card while one is there; asked here once, not by a selector that searches the whole page at every change.
const tourRoom = () => document.body.classList.toggle("mq-touring", !!document.querySelector(".mq-tour-card"));

function tourEnd(t) {
  tourRing(t, null);
  t.watch.disconnect();
  t.card.remove();
  tourRoom();
  removeEventListener("resize", t.soon);
  removeEventListener("keydown", t.press, true);
  removeEventListener("keydown", t.keys);
  clearTimeout(t.later);
  clearTimeout(t.due);
}

function tourOpen(root, data) {
  root.innerHTML = tourCard(data);
  tourRoom();
  const t = { root, data, card: root.firstElementChild, on: null, wants: true };
  t.soon = () => {
    clearTimeout(t.due);
    t.due = setTimeout(() => {
      tourWatch(t);
      t.wants = false;
    }, 160);
  };
  t.press = () => {
    t.under = !!document.querySelector('[role="dialog"],[data-testid="stPopoverBody"],[role="listbox"]'); // seen before it closes by this very key
  };
  t.keys = (e) => {
    // Escape leaves, where nothing else takes it
    if (e.key !== "Escape" || e.defaultPrevented || !t.root.isConnected) return;
    if (t.under || e.target.closest?.("input,textarea,[contenteditable=true]")) return;
    root.mqAct({ do: "skip", step: t.data.step });
  };
  t.watch = new MutationObserver(t.soon);
  t.watch.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["hidden", "aria-expanded"] });
  addEventListener("resize", t.soon);
  addEventListener("keydown", t.press, true);
  addEventListener("keydown", t.keys);
  t.card.onclick = (e) => {
    const on = e.target.closest("[data-tour]");
    if (on && e.detail < 2) root.mqAct({ do: on.dataset.tour, step: t.data.step }); // the second click of two meant the card before
  };
  t.card.onkeydown = (e) => {
    if (/^[a-z]$/i.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey) e.stopPropagation(); // single letters are shortcuts of the page around us
  };
  return t;
}

function tour({ data, parentElement, act }) {
  const root = parentElement.querySelector(".mq"),
    sign = `${data.step} ${data.line != null} ${data.way}`;
  root.mqAct = act;
  if (root.mqSign !== sign) {
    const before = root.mqSign;
    root.mqSign = sign;
    if (root.mqTour) tourEnd(root.mqTour);
    root.mqTour = null;
    if (data.line == null) {
      root.innerHTML = tourChip(data);
      root.firstElementChild.onclick = (e) => {
        const on = e.target.closest("[data-tour]");
        if (on) root.mqAct({ do: on.dataset.tour, step: data.step });
      };
      if (before) tourFocus(root.querySelector("button"));
      return;
    }
    root.mqTour = tourOpen(root, data);
    tourFocus(root.mqTour.card);
  }
  const t = root.mqTour;
  if (!t) return;
  t.data = data;
  const $ = (s) => t.card.querySelector(s),
    say = (el, text) => el.textContent !== text && (el.textContent = text);
  say($(".mq-tour-name"), `${data.name} · ${data.step} of ${data.of}`);
  say($("h2"), data.title);
  say($(".mq-tour-line"), data.line);
  $(".mq-tour-act").hidden = !data.act;
  say($(".mq-tour-act"), data.act);
  t.soon();
}
