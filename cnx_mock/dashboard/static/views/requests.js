// The live list of requests, with filters; beside it the exchange that is open.

import { html, useEffect, useMemo, useRef, useState } from "../lib.js";
import { clip, duration, plural, timeOfDay, utc, visible } from "../format.js";
import { useKeys } from "../keys.js";
import { Code, Empty, FaultBadge, firstCall, Status, TRY_KEY } from "../parts/marks.js";
import { VirtualList } from "../parts/virtual_list.js";
import { outcome, passes } from "../requests_log.js";
import { go, useRoute } from "../router.js";
import { sandboxLabel, useStore } from "../store.js";
import { Filters, NO_FILTERS } from "./request_filters.js";
import { RequestDetail } from "./request_detail.js";

const ROW = 30;
const keyOf = (item) => item.key;

export function Requests() {
  const state = useStore("requests");
  const { open } = useRoute();
  const [filters, setFilters] = useState(NO_FILTERS);
  const [stopped, setStopped] = useState(null);
  const [atTop, setAtTop] = useState(true);
  const search = useRef(null);

  const paused = stopped?.log === state.log ? stopped : null; // the requests of another sandbox are not paused
  const items = useMemo(() => shownItems(paused ?? state.log.items, filters), [filters, paused, state.log, state.log.revision]);
  const place = open ? items.findIndex((item) => item.key === open) : -1;
  const behind = paused ? state.log.items.length + state.log.dropped - paused.seen : 0;

  const pause = () =>
    setStopped(paused ? null : Object.assign([...state.log.items], { log: state.log, seen: state.log.items.length + state.log.dropped }));
  const select = (index) => items.length && go({ open: items[Math.max(0, Math.min(items.length - 1, index))].key }, place >= 0);
  const leave = () => (open ? go({}) : (setFilters(NO_FILTERS), search.current?.blur()));
  useKeys({
    j: () => (select(place + 1), true),
    ArrowDown: () => (select(place + 1), true),
    k: () => (select(place < 0 ? 0 : place - 1), true),
    ArrowUp: () => (select(place < 0 ? 0 : place - 1), true),
    Enter: () => (place < 0 ? (select(0), true) : undefined),
    "/": () => (search.current.focus(), true),
    p: () => (pause(), true),
    Escape: () => (leave(), true),
  });

  return html`<div class="split ${open ? "has-detail" : ""}">
    <section class="pane list-pane" aria-label="Requests">
      <${Filters} filters=${filters} onChange=${setFilters} search=${search} paused=${Boolean(paused)} onPause=${pause} shown=${items.length} />
      ${paused && html`<p class="strip" role="status">Paused. ${behind ? `${plural(behind, "new request")} since.` : "Nothing new yet."}${" "}
        <button type="button" class="link" onClick=${pause}>Go on</button></p>`}
      <${List} items=${items} place=${place} all=${!state.selected} onTop=${setAtTop} onOpen=${select} />
      ${!items.length && html`<${Nothing} state=${state} filters=${filters} onClear=${() => setFilters(NO_FILTERS)} />`}
      ${!atTop && html`<button type="button" class="button to-top" onClick=${() => document.querySelector(".requests").scrollTo({ top: 0 })}>Newest ↑</button>`}
    </section>
    ${open && html`<${RequestDetail} key=${open} open=${open} known=${state.log.byKey.get(open)} onClose=${() => go({})} />`}
  </div>`;
}

function shownItems(items, filters) {
  const wanted = { ...filters, text: filters.text.trim().toLowerCase() };
  const found = items.filter((item) => passes(item, wanted));
  return found.reverse();
}

function List({ items, place, all, onTop, onOpen }) {
  useEffect(() => onTop(true), []);
  const active = place >= 0 ? `request-${place}` : undefined;
  const names = ["Time", "Method", "Path", "Status", "Fault", "Duration", ...(all ? ["Sandbox"] : [])];
  const head = html`<div class="head-row" role="row" aria-rowindex="1">
    ${names.map((name) => html`<span role="columnheader" class="c-${name.toLowerCase()}">${name}</span>`)}
  </div>`;
  return html`<${VirtualList} className="requests ${all ? "with-sandbox" : ""}" role="grid" aria-label="Requests, newest first"
    aria-rowcount=${items.length + 1} aria-activedescendant=${active} head=${head}
    items=${items} keyOf=${keyOf} height=${ROW} reveal=${place} onTop=${onTop}
    row=${(item, index) => html`<${Row} key=${item.key} item=${item} index=${index} selected=${index === place} all=${all} onOpen=${onOpen} />`} />`;
}

function Row({ item, index, selected, all, onOpen }) {
  const query = item.query ? `?${item.query}` : "";
  return html`<div class="row ${outcome(item)} ${selected ? "selected" : ""}" role="row" id="request-${index}" aria-rowindex=${index + 2}
      aria-selected=${selected} data-key=${item.key} onClick=${() => onOpen(index)}>
    <span role="gridcell" class="c-time num" title=${utc(item.wall)}>${timeOfDay(item.wall)}</span>
    <span role="gridcell" class="c-method">${visible(clip(item.method, 9))}</span>
    <span role="gridcell" class="c-path" title=${visible(item.path + query)}>${visible(item.path)}<span class="dim">${visible(query)}</span></span>
    <span role="gridcell" class="c-status"><${Status} item=${item} /></span>
    <span role="gridcell" class="c-fault"><${FaultBadge} faults=${item.faults} /></span>
    <span role="gridcell" class="c-duration num">${item.ms === null ? "" : duration(item.ms)}</span>
    ${all && html`<span role="gridcell" class="c-sandbox num" title=${item.sandbox && visible(sandboxLabel(item.sandbox))}>${item.sandbox ? visible(sandboxLabel(item.sandbox)) : html`<span class="dim">none</span>`}</span>`}
  </div>`;
}

function Nothing({ state, filters, onClear }) {
  if (filters !== NO_FILTERS && state.log.items.length) {
    return html`<${Empty} title="No request passes the filters">
      <p>${plural(state.log.items.length, "request is", "requests are")} hidden.</p>
      <button type="button" class="button" onClick=${onClear}>Clear the filters</button>
    <//>`;
  }
  if (!state.loaded) return html`<${Empty} title="Reading the journal …" />`;
  return html`<${Empty} title="No requests yet">
    <p>Send one, and it appears here at once. Each key that begins with cnx_test_ has its own sandbox.</p>
    <${Code} text=${TRY_KEY} what="the line" label="A test key" />
    <${Code} text=${firstCall()} what="the curl line" label="A first request" />
  <//>`;
}
