// Load balancers with their targets, firewalls with their rules, and snapshots.

import { count, utc, visible } from "../format.js";
import { html } from "../lib.js";
import { State } from "../parts/marks.js";
import { state } from "../store.js";
import { Progress } from "./instances.js";

/** Most resources of one of these kinds that are drawn: nobody reads more, and each is a piece of the document. */
const MOST = 100;

function Block({ title, items, empty, children, head }) {
  return html`<section class="card block" aria-label=${title}>
    <header class="block-head"><h2>${title} <span class="dim num">${count(items.length)}</span></h2></header>
    ${items.length
      ? html`<div class="table-scroll" tabindex="0" role="region" aria-label="${title}, table"><table class="grid" aria-label=${title}>
          <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
          <tbody>${items.slice(0, MOST).map(children)}</tbody>
        </table></div>`
      : html`<p class="dim pad">${state.loaded ? empty : "Reading …"}</p>`}
    ${items.length > MOST && html`<p class="dim pad">The first ${MOST} of ${count(items.length)}.</p>`}
  </section>`;
}

export function LoadBalancers({ items, instances }) {
  return html`<${Block} title="Load balancers" items=${items} head=${["Name", "Status", "Forwards", "Targets"]} empty="No load balancers: POST /v1/network/load-balancers makes one.">
    ${(item) => html`<tr key=${item.id}>
      <th scope="row" title=${item.id}>${visible(item.name)} <span class="dim">${item.regions?.join(", ")}</span></th>
      <td>${item.status === "provisioning" ? html`<${Progress} item=${item} />` : html`<${State} status=${item.status} />`}</td>
      <td class="num">${(item.forwarding_rules ?? []).map((rule) => html`<div>${rule.entry_protocol} ${rule.entry_port} → ${rule.target_port}</div>`)}</td>
      <td>${(item.targets ?? []).length
        ? html`<ul class="targets">${item.targets.map((target) => html`<li title=${target.instance_id}><${State} status=${target.health} /> ${visible(instances.get(target.instance_id)?.name ?? target.instance_id)}</li>`)}</ul>`
        : html`<span class="dim">none</span>`}</td>
    </tr>`}
  <//>`;
}

export function Firewalls({ items }) {
  return html`<${Block} title="Firewalls" items=${items} head=${["Name", "Rules", "Instances"]} empty="No firewalls: POST /v1/network/firewall makes one.">
    ${(item) => html`<tr key=${item.id}>
      <th scope="row" title=${item.id}>${visible(item.name)}</th>
      <td>${(item.rules ?? []).map((rule) => html`<div class="num">${rule.direction} ${rule.action} ${rule.protocol} ${rule.ports ?? "all ports"} <span class="dim">${rule.cidrs?.join(", ")}</span></div>`)}
        <span class="dim">else ${item.default_inbound} in, ${item.default_outbound} out</span></td>
      <td class="num">${count((item.instance_ids ?? []).length)}</td>
    </tr>`}
  <//>`;
}

export function Snapshots({ items }) {
  return html`<${Block} title="Snapshots" items=${items} head=${["Name", "Status", "Of", "Taken"]} empty="No snapshots: POST /v1/snapshots takes one.">
    ${(item) => html`<tr key=${item.id}>
      <th scope="row" title=${item.id}>${visible(item.name ?? item.id)}</th>
      <td>${item.status === "creating" ? html`<${Progress} item=${item} />` : html`<${State} status=${item.status} />`}</td>
      <td>${visible(item.source_instance_name ?? "")}</td>
      <td class="num dim">${item.created_at ? utc(Date.parse(item.created_at)) : "–"}</td>
    </tr>`}
  <//>`;
}
