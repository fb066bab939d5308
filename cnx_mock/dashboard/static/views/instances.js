// The instances of a sandbox, however many, with the progress of those that are provisioning.

import { setStatus } from "../actions.js";
import { count, duration, plural, visible } from "../format.js";
import { html, useMemo, useState } from "../lib.js";
import { Code, firstCall, State } from "../parts/marks.js";
import { VirtualList } from "../parts/virtual_list.js";
import { sandboxNow, useTick } from "../sandbox_clock.js";
import { state } from "../store.js";

const ROW = 32;
const HEAD = 28;
const MOST_ROWS = 12;
const keyOf = (item) => item.id;

export function Instances({ items }) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const shown = useMemo(() => items.filter((item) => !wanted || words(item).includes(wanted)), [items, wanted]);
  const height = Math.min(MOST_ROWS, Math.max(1, shown.length)) * ROW;
  const head = html`<div class="head-row" role="row">
    ${["Name", "Status", "Plan", "Region", "Address", ""].map((name, place) => html`<span role="columnheader" class="i-${place}">${name || html`<span class="sr-only">Action</span>`}</span>`)}
  </div>`;
  return html`<section class="card block" aria-label="Instances">
    <header class="block-head">
      <h2>Instances <span class="dim num">${count(items.length)}</span></h2>
      <span class="dim">${tally(items)}</span>
      ${items.length > 5 && html`<input type="search" placeholder="Filter" aria-label="Filter the instances" value=${text} onInput=${(event) => setText(event.target.value)} />`}
    </header>
    ${items.length
      ? html`<div style=${{ height: `${height + HEAD}px` }}>
          <${VirtualList} className="instances" role="table" aria-label="Instances" aria-rowcount=${shown.length + 1}
            items=${shown} keyOf=${keyOf} height=${ROW} head=${head}
            row=${(item) => html`<${Row} key=${item.id} item=${item} />`} />
        </div>`
      : !state.loaded ? html`<p class="dim pad">Reading …</p>`
      : html`<div class="empty small"><p>No instances. Create one:</p><${Code} text=${firstCall()} what="the curl line" label="Create an instance" /></div>`}
  </section>`;
}

const words = (item) => `${item.name} ${item.id} ${item.status} ${item.region} ${item.plan} ${(item.tags ?? []).join(" ")}`.toLowerCase();

function tally(items) {
  const counts = {};
  for (const { status } of items) counts[status] = (counts[status] ?? 0) + 1;
  return Object.entries(counts).map(([status, number]) => `${count(number)} ${status}`).join(" · ");
}

function Row({ item }) {
  return html`<div class="row" role="row">
    <span role="cell" class="i-0" title=${item.id}>${visible(item.name)} <span class="dim">${item.id}</span></span>
    <span role="cell" class="i-1">${item.status === "provisioning" ? html`<${Progress} item=${item} />` : html`<${State} status=${item.status} />`}</span>
    <span role="cell" class="i-2">${item.plan}</span>
    <span role="cell" class="i-3">${item.region}</span>
    <span role="cell" class="i-4 num dim">${item.ipv4 ?? item.ip_address ?? item.network?.ipv4 ?? "–"}</span>
    <span role="cell" class="i-5"><${Power} item=${item} /></span>
  </div>`;
}

function Power({ item }) {
  const next = item.status === "stopped" ? "running" : "stopped";
  const verb = { running: "Start", stopped: "Stop" }[next];
  if (item.status === "provisioning") {
    return html`<button type="button" class="button small" aria-label="Finish ${item.name}" onClick=${() => setStatus(item.id, "running")}>Finish</button>`;
  }
  return html`<button type="button" class="button small" aria-label="${verb} ${item.name}" onClick=${() => setStatus(item.id, next)}>${verb}</button>`;
}

/** How far a resource is, on the sandbox's clock. */
export function Progress({ item }) {
  useTick(250);
  const known = state.provisioning.get(item.id);
  if (!known) return html`<${State} status=${item.status} />`;
  if (known.polls_left !== null) {
    return html`<span class="status pending"><i class="sign" aria-hidden="true"></i>${plural(known.polls_left, "more read")}</span>`;
  }
  if (known.ready_at === null) return html`<span class="status pending"><i class="sign" aria-hidden="true"></i>never ready</span>`;
  const [began, ends, now] = [Date.parse(known.began), Date.parse(known.ready_at), sandboxNow()];
  const part = Math.max(0, Math.min(1, (now - began) / (ends - began || 1)));
  const left = Math.max(0, ends - now);
  return html`<span class="progress" role="progressbar" aria-label="${item.status} ${item.name ?? item.id}" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(part * 100)}>
    <span class="bar"><i style=${{ width: `${part * 100}%` }}></i></span><span class="num dim">${left ? duration(Math.ceil(left / 1000) * 1000) : "due"}</span>
  </span>`;
}
