// "Who's watching?" under the lit sign.

function picker({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".mq"),
    sign = JSON.stringify(data);
  if (root.mqSign === sign) return;
  root.mqSign = sign;
  root.innerHTML = `<div class="mq-picker"><div class="mq-sign"><small>Now showing</small><h1>Who’s watching?</h1></div>
    <ul class="mq-people-list">${data.viewers.map((v, i) => `<li><button type="button" class="mq-person" data-viewer="${esc(v.id)}" tabindex="${i ? -1 : 0}"><img src="${esc(v.face)}" alt="" width="132" height="132"><b>${esc(v.name)}${v.certificate ? `<i class="mq-tag">${esc(v.certificate)}</i>` : ""}</b><span>${esc(v.line)}</span></button></li>`).join("")}</ul></div>`;
  const people = [...root.querySelectorAll(".mq-person")];
  root.onclick = (e) => {
    const on = e.target.closest(".mq-person");
    if (on) {
      on.classList.add("mq-chosen");
      setTriggerValue("act", { do: "pick", viewer: on.dataset.viewer });
    }
  };
  root.onkeydown = (e) => {
    const at = people.indexOf(e.target.closest(".mq-person"));
    if (at < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^[a-z]$/i.test(e.key)) {
      e.stopPropagation();
      return;
    }
    const top = people[0].getBoundingClientRect().top,
      across = people.filter((b) => Math.abs(b.getBoundingClientRect().top - top) < 5).length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + across, ArrowUp: at - across, Home: 0, End: people.length - 1 }[e.key];
    if (to == null) return;
    e.preventDefault();
    if (people[to]) {
      people.forEach((b, i) => {
        b.tabIndex = i === to ? 0 : -1;
      });
      people[to].focus();
    }
  };
}
