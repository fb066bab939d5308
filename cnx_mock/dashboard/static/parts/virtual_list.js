// A long list of which only what can be seen is in the document. All rows have the same height.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib.js";

const OVERSCAN = 8;

/** `items` with `keyOf(item)`; `row(item, index)` draws one, `head` stays above them. What is being looked at stays where it
 * is when rows come in above it. `reveal` is the index of the row that must be seen. */
export function VirtualList({ items, keyOf, row, head, height, reveal = -1, onTop, className = "", ...more }) {
  const box = useRef(null);
  const anchor = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });

  useEffect(() => {
    const measure = () => setView({ top: box.current.scrollTop, height: box.current.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    measure();
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const { scrollTop } = box.current;
    if (scrollTop > 0 && anchor.current) {
      const place = items.findIndex((item) => keyOf(item) === anchor.current.key);
      const wanted = place * height + anchor.current.offset;
      if (place >= 0 && Math.abs(wanted - scrollTop) >= 1) box.current.scrollTop = wanted;
    }
  }, [items]);

  useLayoutEffect(() => {
    if (reveal < 0) return;
    const { scrollTop, clientHeight } = box.current;
    const seen = clientHeight - box.current.firstElementChild.offsetHeight;
    const top = reveal * height;
    if (top < scrollTop) box.current.scrollTop = top;
    else if (top + height > scrollTop + seen) box.current.scrollTop = top + height - seen;
  }, [reveal]);

  const onScroll = () => {
    const { scrollTop, clientHeight } = box.current;
    const first = Math.floor(scrollTop / height);
    anchor.current = items[first] ? { key: keyOf(items[first]), offset: scrollTop - first * height } : null;
    setView({ top: scrollTop, height: clientHeight });
    onTop?.(scrollTop < height);
  };

  const first = Math.max(0, Math.floor(view.top / height) - OVERSCAN);
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / height) + OVERSCAN);
  const rows = [];
  for (let index = first; index < last; index += 1) rows.push(row(items[index], index));
  return html`<div ref=${box} class="scroll ${className}" tabindex="0" onScroll=${onScroll} ...${more}>
    ${head}
    <div class="scroll-space" role="rowgroup" style=${{ height: `${items.length * height}px` }}>
      <div class="scroll-rows" role="presentation" style=${{ transform: `translateY(${first * height}px)` }}>${rows}</div>
    </div>
  </div>`;
}
