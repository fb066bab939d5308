// The active rules: what each does, where, and how often it has.

import { disarm } from "../actions.js";
import { count, entries, visible } from "../format.js";
import { html } from "../lib.js";
import { Bolt } from "../parts/marks.js";
import { state } from "../store.js";

/** Most rules that are drawn. */
const MOST = 200;

export function Rules({ rules }) {
  if (!rules.length && !state.loaded) return html`<p class="dim pad">Reading …</p>`;
  if (!rules.length) {
    return html`<div class="empty small"><p>No rules. “Arm a fault” adds one here; in a terminal it is</p>
      <pre tabindex="0" aria-label="The same in a terminal">cnx-mock inject instances.create --error INTERNAL_ERROR</pre></div>`;
  }
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Rules, table">
    <table class="grid rules" aria-label="Rules, in the order in which they are asked">
      <thead><tr>
        <th scope="col">Rule</th><th scope="col">What</th><th scope="col">Where</th><th scope="col">When</th>
        <th scope="col" class="r">Matched</th><th scope="col" class="r">Fired</th><th scope="col"><span class="sr-only">Action</span></th>
      </tr></thead>
      <tbody>${rules.slice(0, MOST).map((each) => html`<${Row} key=${each.id} ...${each} />`)}</tbody>
    </table>
    ${rules.length > MOST && html`<p class="dim pad">The first ${MOST} of ${count(rules.length)}.</p>`}
  </div>`;
}

function Row({ id, origin, rule, matched, fired, why, warnings }) {
  return html`<tr class=${fired ? "has-fired" : ""}>
    <th scope="row">${visible(id)}<div class="dim">${origin}</div></th>
    <td class="what">${rule.sequence ? `in turn: ${entries({ sequence: rule.sequence })}` : entries(rule.fault)}</td>
    <td>${rule.match ? entries(rule.match) : html`<span class="dim">every request</span>`}</td>
    <td>${conditions(rule).map((line) => html`<div>${line}</div>`)}</td>
    <td class="r num">${count(matched)}</td>
    <td class="r num"><span class=${fired ? "fired-count" : ""}>${fired > 0 && html`<${Bolt} />`}${count(fired)}</span></td>
    <td class="r"><button type="button" class="button small" aria-label="Remove ${id}" onClick=${() => disarm(id)}>Remove</button></td>
  </tr>
  ${(why || warnings.length > 0) && html`<tr class="why"><td colspan="7">
    ${warnings.map((line) => html`<div class="warning">Can never fire: ${visible(line)}</div>`)}
    ${why && html`<div class="dim">Has not fired: ${visible(why)}</div>`}
  </td></tr>`}`;
}

function conditions({ when, times, per, probability, at, then, ttl }) {
  const lines = [];
  if (when) lines.push(entries(when));
  if (times !== undefined) lines.push(typeof times === "number" ? (times === 1 ? "once" : `the first ${times}`) : entries(times));
  if (per) lines.push(`per ${per}`);
  if (probability !== undefined) lines.push(`probability ${typeof probability === "object" ? entries(probability) : probability}`);
  if (at === "after") lines.push("after the commit");
  if (then) lines.push(`then ${then}`);
  if (ttl) lines.push(`for ${ttl}`);
  return lines.length ? lines : ["always"];
}
