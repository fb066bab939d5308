// The filters of the list of requests.

import { html } from "../lib.js";
import { count } from "../format.js";
import { OUTCOMES } from "../requests_log.js";
import { useStore } from "../store.js";

export const NO_FILTERS = { text: "", operation: "", status: "", fault: "" };

export function Filters({ filters, onChange, search, paused, onPause, shown }) {
  const { vocabulary, rules } = useStore("requests", "story");
  const set = (name) => (event) => onChange(cleaned({ ...filters, [name]: event.target.value }));
  return html`<div class="filters" role="search" aria-label="Filter the requests">
    <input ref=${search} type="search" class="grow" placeholder="Filter by path, id, status, rule …  /" aria-label="Filter by text"
      value=${filters.text} onInput=${set("text")} />
    <${Select} label="Operation" value=${filters.operation} onChange=${set("operation")}
      options=${[["", "Operation"], ...vocabulary.operations.map(({ name }) => [name, name])]} />
    <${Select} label="Status" value=${filters.status} onChange=${set("status")}
      options=${[["", "Status"], ...Object.entries(OUTCOMES), ...STATUSES]} />
    <${Select} label="Fault" value=${filters.fault} onChange=${set("fault")}
      options=${[["", "Fault"], ["any", "with a fault"], ["none", "without a fault"], ...rules.map(({ id }) => [`rule:${id}`, `by ${id}`])]} />
    <button type="button" class="button" aria-pressed=${paused} onClick=${onPause}>${paused ? "Go on" : "Pause"}</button>
    <span class="dim num shown-count" aria-live="off">${count(shown)} shown</span>
  </div>`;
}

const STATUSES = [200, 201, 400, 401, 403, 404, 429, 500, 503].map((status) => [String(status), String(status)]);

/** No filter at all is always the same object. */
function cleaned(filters) {
  return Object.values(filters).some(Boolean) ? filters : NO_FILTERS;
}

export function Select({ label, value, onChange, options, className = "" }) {
  return html`<select class=${className} aria-label=${label} value=${value} onChange=${onChange}>
    ${options.map(([option, words]) => html`<option value=${option} selected=${option === value}>${words}</option>`)}
  </select>`;
}
