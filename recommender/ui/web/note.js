// The ticket that appears beside a card under the mouse or the keyboard: genres, predicted stars, the reason.

function ticket(film) {
  const stars = film.stars == null ? "Too few ratings to promise stars" : `<b>★ ${(+film.stars).toFixed(1)}</b> predicted for you`;
  return `<span class="mq-stub">${film.match == null ? "—" : `${+film.match}<small>% match</small>`}</span><div><strong>${esc(film.title)}</strong>
    <p class="mq-small">${[...facts(film), kinds(film)].filter(Boolean).map(esc).join(" · ")}</p><p>${stars}</p>${said(film)}${film.falls ? `<p class="mq-small">${esc(film.falls)}</p>` : ""}</div>`;
}

function notes(root) {
  const note = document.createElement("div");
  note.className = "mq-ticket";
  note.setAttribute("role", "presentation");
  root.append(note);
  let timer = 0,
    shown = null,
    mouse = false;
  const hide = () => {
    clearTimeout(timer);
    shown = null;
    note.classList.remove("mq-up");
  };
  const soon = (find, wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const card = find();
      if (card) show(card);
    }, wait);
  };
  const show = (card) => {
    const film = card.parentElement.mqFilm;
    if (!film || !card.isConnected) return;
    shown = card;
    note.innerHTML = ticket(film);
    const c = card.querySelector(".mq-poster").getBoundingClientRect(),
      r = root.getBoundingClientRect(),
      w = note.offsetWidth,
      h = note.offsetHeight;
    const right = c.right + 10 + w < Math.min(r.right, innerWidth) - 4,
      left = c.left - 10 - w > Math.max(r.left, 0) + 4;
    const x = right ? c.right + 10 : left ? c.left - 10 - w : Math.min(Math.max(c.left + c.width / 2 - w / 2, r.left + 4), r.right - w - 4);
    const y = right || left ? c.top + Math.min(c.height * 0.16, 40) : c.bottom - 30;
    note.style.transform = `translate(${Math.round(x - r.left)}px,${Math.round(Math.min(y, Math.max(innerHeight - h - 12, c.top)) - r.top)}px)`;
    note.classList.add("mq-up");
  };
  root.addEventListener("pointerover", (e) => {
    const card = e.target.closest?.(".mq-card");
    if (e.pointerType !== "mouse" || !hovers()) return;
    if (!card) {
      hide();
      return;
    }
    mouse = true;
    if (card !== shown) soon(() => card, shown ? 90 : 320);
  });
  root.addEventListener("pointerleave", hide);
  root.addEventListener("focusin", (e) => {
    if (e.target.matches?.(".mq-card:focus-visible")) soon(() => e.target, 240);
  });
  root.addEventListener("focusout", hide);
  root.addEventListener("pointerdown", hide);
  const scrolled = () => {
    // the cards moved, the mouse did not: look again when they rest
    hide();
    if (root.isConnected) soon(() => (mouse ? root.querySelector(".mq-card:hover") : null) ?? root.querySelector(".mq-card:focus-visible"), 380);
    else document.removeEventListener("scroll", scrolled, true);
  };
  document.addEventListener("scroll", scrolled, { capture: true, passive: true });
  root.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && shown) hide();
  });
}
