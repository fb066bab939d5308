// Small pieces that every view uses: signs, badges, figures, times and what an empty view says.

import { ago, timeOfDay, utc, visible } from "../format.js";
import { html } from "../lib.js";
import { outcome, OUTCOMES } from "../requests_log.js";
import { copy } from "../actions.js";
import { useTick } from "../sandbox_clock.js";

/** A status with a sign of its own shape, so that it can be read without colours. */
export function Status({ item }) {
  const kind = outcome(item);
  const text = item.status ?? (kind === "cut" ? "cut" : "…");
  return html`<span class="status ${kind}" title=${OUTCOMES[kind]}><i class="sign" aria-hidden="true"></i>${text}</span>`;
}

/** The state of a resource. */
export function State({ status }) {
  const kind =
    { running: "ok", active: "ok", available: "ok", healthy: "ok", stopped: "refused", unhealthy: "failed" }[status] ?? "pending";
  return html`<span class="status ${kind}"><i class="sign" aria-hidden="true"></i>${status}</span>`;
}

export function Bolt() {
  return html`<svg class="bolt" viewBox="0 0 12 16" aria-hidden="true"><path d="M7 0 0 9h4.5L3.5 16 12 6H7z" /></svg>`;
}

export function FaultBadge({ faults }) {
  if (!faults.length) return null;
  const words = faults.map((each) => each.fault).join(", ");
  return html`<span class="badge fault" title=${faults.map((each) => `${each.rule}: ${each.fault}`).join("\n")}
    ><${Bolt} /><span class="cut-text">${visible(words)}</span></span
  >`;
}

/** An instant: how long ago, with the exact time beside it. */
export function When({ ms, both = false }) {
  useTick(5000);
  const exact = `${timeOfDay(ms)} · ${utc(ms)}`;
  return html`<time datetime=${new Date(ms).toISOString()} title=${exact}
    >${both ? html`${timeOfDay(ms)} <span class="dim">${ago(ms)}</span>` : ago(ms)}</time
  >`;
}

export function Figure({ label, value, note, children }) {
  return html`<div class="figure">
    <dt>${label}</dt>
    <dd><span class="figure-value num">${value}</span>${note && html`<span class="figure-note">${note}</span>`}${children}</dd>
  </div>`;
}

/** What a view says while it has nothing to show: what to do next. */
export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

export function Code({ text, what, label }) {
  return html`<div class="code-line">
    <pre tabindex="0" aria-label=${label ?? what}>${text}</pre>
    <button type="button" class="button small" onClick=${() => copy(text, what)}>Copy</button>
  </div>`;
}

/** The base URL of the API that this server serves. */
export const base = () => location.origin;

/** A curl line that makes something happen, with the real address. */
export const firstCall = () =>
  `curl ${base()}/v1/instances \\\n  -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}'`;

export const TRY_KEY = "export CLOUDNEXUS_API_KEY=cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c";

/** A sentence of ours, in which backticks mark what one writes. */
export function Words({ text }) {
  return text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));
}
