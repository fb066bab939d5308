// A dialog of the browser's own: it keeps the focus, Esc closes it, and the page behind it is inert.

import { html, useLayoutEffect, useRef } from "../lib.js";

let made = 0;

export function Dialog({ title, onClose, children, wide = false }) {
  const box = useRef(null);
  const id = useRef(`dialog-${++made}`);
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => before?.focus?.();
  }, []);
  const onClick = (event) => event.target === box.current && onClose();
  return html`<dialog
    ref=${box}
    class=${wide ? "dialog wide" : "dialog"}
    aria-labelledby=${id.current}
    onClick=${onClick}
    onCancel=${(event) => (event.preventDefault(), onClose())}
  >
    <div class="dialog-body">
      <header class="dialog-head">
        <h2 id=${id.current}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick=${onClose}>✕</button>
      </header>
      ${children}
    </div>
  </dialog>`;
}
