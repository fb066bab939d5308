// One exchange as a whole: what came, what was sent, how long it took, and what every rule decided about it.

import { call } from "../api.js";
import { copy } from "../actions.js";
import { clip, count, duration, visible } from "../format.js";
import { html, useEffect, useState } from "../lib.js";
import { useKeys } from "../keys.js";
import { BodyText, Headers } from "../parts/body_text.js";
import { Bolt, Empty, FaultBadge, Status, When } from "../parts/marks.js";
import { sandboxLabel } from "../store.js";
import { openArm } from "./arm.js";

/** `open` is sandbox/seq, as the address has it; `known` is the list's item, if it is in the list. */
export function RequestDetail({ open, known, onClose }) {
  const [sandbox, seq] = open.split("/");
  const { entry, replay, error } = useExchange(sandbox, Number(seq), known);
  const arm = () => openArm({ sandbox, operation: entry.operation, method: entry.method });
  useKeys({
    c: () => replay && (copy(replay.curl, "the curl line"), true),
    t: () => replay && (copy(replay.pytest, "the test"), true),
    b: () => (entry && sandbox ? (arm(), true) : undefined),
  });
  return html`<section class="pane detail" aria-label="Request ${seq}">
    <header class="detail-head">
      <button type="button" class="icon-button back" aria-label="Close the request" onClick=${onClose}>←</button>
      <h2 class="detail-title">${entry ? html`<span class="method">${visible(entry.method || "?")}</span> ${visible(entry.path)}<span class="dim">${entry.query && `?${visible(entry.query)}`}</span>` : `Request ${seq}`}</h2>
      ${entry && html`<${Status} item=${{ ...entry, complete: entry.duration_ms !== null }} />`}
    </header>
    ${error && html`<${Empty} title="This request is not there"><p>${error}</p></${Empty}>`}
    ${entry && html`<div class="detail-scroll" tabindex="-1">
      <div class="actions">
        <button type="button" class="button" disabled=${!replay} onClick=${() => copy(replay.curl, "the curl line")}>Copy as curl</button>
        <button type="button" class="button" disabled=${!replay} onClick=${() => copy(replay.pytest, "the test")}>Copy as pytest</button>
        <button type="button" class="button primary" disabled=${!sandbox} onClick=${arm}><${Bolt} />Break this call</button>
      </div>
      <${Facts} entry=${entry} sandbox=${sandbox} />
      <${Timing} entry=${entry} />
      <${Decisions} entry=${entry} />
      <${Part} title="Request" headers=${entry.request_headers} body=${entry.request_body} />
      <${Part} title="Answer" headers=${entry.response_headers} body=${entry.response_body} none=${unanswered(entry)} />
    </div>`}
  </section>`;
}

function useExchange(sandbox, seq, known) {
  const [found, setFound] = useState({});
  useEffect(() => {
    const abort = new AbortController();
    const options = { sandbox: sandbox || undefined, signal: abort.signal };
    read(seq, known, options).then(setFound, (error) => error.name === "AbortError" || setFound({ error: error.message }));
    return () => abort.abort();
  }, [sandbox, seq, known?.complete]);
  return found;
}

async function read(seq, known, options) {
  const entry = known
    ? await call("GET", `/requests/${encodeURIComponent(known.id)}`, options)
    : (await call("GET", `/requests?since=${seq - 1}&limit=1`, options)).data[0];
  if (entry?.seq !== seq) return { error: "The journal does not have it any more. --journal-size keeps more requests." };
  const query = new URLSearchParams({ base_url: location.origin });
  const path = `/requests/${encodeURIComponent(entry.request_id)}/replay?${query}`;
  const again = entry.method && !entry.request_headers.some(([name, value]) => name === "authorization" && value === "live");
  return { entry, replay: again ? await call("GET", path, options) : null };
}

function Facts({ entry, sandbox }) {
  const facts = [
    ["Arrived", html`<${When} ms=${Date.parse(entry.wall)} both />`],
    ["Sandbox time", entry.at && visible(entry.at.replace("T", " ").replace("Z", " UTC"))],
    ["Operation", entry.operation],
    ["Sandbox", sandbox ? clip(sandboxLabel(sandbox), 40) : "none: it reached no sandbox"],
    ["Number", `#${count(entry.seq)}`],
    ["Request id", entry.request_id],
    ["Connection", entry.connection && `port ${entry.connection}`],
    ["Committed", entry.committed ? "yes, it changed something" : "no"],
    ["Created", entry.created_id],
    ["Performed", entry.performances.map((each) => `${each.status}${each.created_id ? ` ${each.created_id}` : ""}`).join(", then ")],
    ["Problem", entry.problem && visible(entry.problem)],
  ];
  return html`<dl class="facts">
    ${facts.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${name}</dt><dd class="num">${value}</dd></div>`)}
  </dl>`;
}

/** The whole time, and how much of it was a deliberate wait. */
function Timing({ entry }) {
  if (entry.duration_ms === null) return html`<p class="dim pad">Still under way.</p>`;
  const waited = Math.min(entry.delayed_ms, entry.duration_ms);
  const rest = entry.duration_ms - waited;
  const share = (part) => String((part / (entry.duration_ms || 1)) * 100);
  const words = waited ? `${duration(waited)} injected, ${duration(rest)} for the rest` : "no delay injected";
  return html`<section aria-label="Timing">
    <h3>Timing</h3>
    <div class="timing" role="img" aria-label="${duration(entry.duration_ms)} in all: ${words}">
      ${waited > 0 && html`<i class="waited" style=${{ flexGrow: share(waited) }}></i>`}
      <i class="worked" style=${{ flexGrow: share(rest) }}></i>
    </div>
    <p class="timing-words num"><b>${duration(entry.duration_ms)}</b> <span class="dim">${words}</span></p>
  </section>`;
}

function Decisions({ entry }) {
  const { decisions, near_miss: near, faults } = entry;
  return html`<section aria-label="What the rules decided">
    <h3>What the rules decided</h3>
    ${faults.length > 0 && html`<p class="pad-low"><${FaultBadge} faults=${faults} /></p>`}
    ${decisions.length
      ? html`<ul class="decisions">
          ${decisions.map(
            (each) => html`<li class=${each.fired ? "fired" : ""}>
              <span class="decision-mark" title=${each.fired ? "fired" : "did not fire"}>${each.fired ? html`<${Bolt} />` : "–"}</span>
              <b>${visible(each.rule)}</b><span>${each.fired ? "fired: " : ""}${visible(each.reason)}</span>
            </li>`,
          )}
        </ul>`
      : html`<p class="dim pad">No rule was active.</p>`}
    ${near && html`<p class="near"><b>Nearly:</b> ${visible(near.rule)} would have matched, but ${visible(near.reason)}.</p>`}
  </section>`;
}

function Part({ title, headers, body, none }) {
  return html`<section aria-label=${title}>
    <h3>${title}</h3>
    ${none
      ? html`<p class="dim pad">${none}</p>`
      : html`<details class="fold" open=${headers.length > 0 && headers.length < 12}>
            <summary>${headers.length} headers</summary>
            <${Headers} headers=${headers} label="${title} headers" />
          </details>
          <${BodyText} text=${body} label="${title} body" />`}
  </section>`;
}

function unanswered(entry) {
  if (entry.response_headers.length || entry.status !== null) return "";
  return entry.duration_ms === null ? "No answer yet." : "The client got no answer: the connection was broken.";
}
