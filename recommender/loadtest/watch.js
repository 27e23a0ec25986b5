// Says when something asked for was painted: from the input event (its own time stamp) to the second frame after the page holds it.
(() => {
  let wanted = null,
    from = null,
    slowest = 0,
    tell = null;
  const look = () => {
    if (!wanted || from === null || !wanted()) return;
    const done = tell,
      began = from;
    wanted = null;
    requestAnimationFrame(() => requestAnimationFrame(() => done({ ms: performance.now() - began, at: performance.timeOrigin + performance.now(), slowest })));
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  for (const kind of ["pointerup", "keydown"])
    addEventListener(
      kind,
      (e) => {
        if (wanted && from === null) from = e.timeStamp;
      },
      true,
    );
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) slowest = Math.max(slowest, e.duration);
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  globalThis.marqueeWatch = {
    // want: () => whether the page holds it; since: the beginning [ms of this page], or null for the next input event
    arm(want, since = null) {
      wanted = want;
      from = since;
      slowest = 0;
      this.painted = new Promise((done) => {
        tell = done;
      });
      look();
    },
  };
})();
