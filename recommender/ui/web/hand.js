// What every view does for the hand: a click shows at once, before the server has answered, the focus is never lost to the page, and nothing is drawn
// anew under a press, which the browser makes a click only where it ends on the element on which it began.

const PRESS = { on: null, waits: new Map() }; // what is pressed; root -> what is drawn there once it is let go
const pressBegins = (e) => (e.button === 0 || e.key === " ") && (PRESS.on = e.target);
const pressEnds = () =>
  setTimeout(() => {
    // after the click
    PRESS.on = null;
    const late = [...PRESS.waits.values()];
    PRESS.waits.clear();
    late.forEach((draw) => draw());
  });
for (const begin of ["pointerdown", "keydown"]) addEventListener(begin, pressBegins, true);
for (const end of ["pointerup", "pointercancel", "keyup", "contextmenu"]) addEventListener(end, pressEnds, true);
addEventListener("blur", pressEnds); // of the window

function inHand(view, component) {
  const root = component.parentElement;
  if (late(root, component.data)) return;
  if (root.contains(PRESS.on)) return PRESS.waits.set(root, () => inHand(view, component));
  PRESS.waits.delete(root);
  const held = root.contains(document.activeElement) ? document.activeElement : null,
    place = held?.getBoundingClientRect();
  document.querySelectorAll(".mq-sent").forEach((el) => el.classList.remove("mq-sent"));
  view({ ...component, act: (what) => (handSent(globalThis.event), component.setTriggerValue("acts", handActs(root, what))) });
  if (held && (handLost() || (document.activeElement === held && !held.getClientRects().length))) handNear(root, place)?.focus({ preventScroll: true });
}

const HAND = { last: 0, keep: 10_000 }; // the number of the last act, which is its time unless that was taken; ms that an act is told again

function handActs(root, what) {
  // an act goes with those before it: on a busy server a message takes the place of one that waits. By its number each is heard once.
  HAND.last = Math.max(Date.now(), HAND.last + 1);
  root.mqActs = [...(root.mqActs ?? []).filter((act) => act.nth > HAND.last - HAND.keep), { ...what, nth: HAND.last }];
  return root.mqActs;
}

// An answer from before the last act would take back what the hand did since; the answer to that is on its way. `heard` is told by views with sliders.
const late = (root, { heard }) => heard !== undefined && root.mqActs?.some((act) => act.nth > heard && act.nth > Date.now() - HAND.keep);

const handLost = () => !document.activeElement || document.activeElement === document.body;

function sliding(block, input, said, sent) {
  // A slider in a block that every answer draws anew: where keys have moved it and may again, the block stays as it is. It counts when the hand lets go,
  // or after the last key.
  let later = 0,
    keyed = false;
  const send = () => {
    clearTimeout(later);
    later = 0;
    block.mqHeld = false;
    sent(+input.value);
  };
  const flush = () => {
    if (later) send();
  };
  input.oninput = said;
  input.onchange = () => {
    clearTimeout(later);
    block.mqHeld = true;
    if (keyed) later = setTimeout(send, 350);
    else send();
  };
  input.onpointerdown = () => {
    keyed = false;
  };
  input.onblur = flush;
  input.onkeydown = (e) => {
    keyed = true;
    if (e.key === "Escape") flush();
    else e.stopPropagation(); // arrows turn no row
  };
}

function handSent(e) {
  // what was clicked keeps its mark until something is drawn
  const on = e?.type === "click" && e.target.closest?.("button");
  if (!on) return;
  on.classList.add("mq-sent");
  setTimeout(() => on.classList.remove("mq-sent"), 5000); // nothing needed to change
}

function handNear(root, place) {
  // the control that stands nearest to where the lost one stood
  const all = [...root.querySelectorAll("button, input")].filter((el) => el.tabIndex >= 0 && !el.disabled && el.getClientRects().length);
  return all.sort((a, b) => far(a, place) - far(b, place))[0];
}

function arrive(from, to, tries = 300) {
  // when what had the focus has gone with the whole page, it goes to what the next page begins with
  const held = document.activeElement;
  if (!handLost() && !held.closest(from)) return;
  const next = handLost() && document.querySelector(to);
  if (next) next.focus({ preventScroll: true });
  else if (tries) setTimeout(() => arrive(from, to, tries - 1), 60);
}
