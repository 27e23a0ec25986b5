// A window onto the kit: waits until the drawing code is in the page, then draws its data.
globalThis.marqueeKit ??= (() => {
  let open;
  const ready = new Promise((done) => {
    open = done;
  });
  return { ready, open };
})();

export default function (component) {
  globalThis.marqueeKit.ready.then((kit) => kit.inHand(kit[component.data.view], component));
}
