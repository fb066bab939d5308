// What the audit has found so far, each finding with its requests.

import { get } from "../api.js";
import { plural, timeOfDay, visible } from "../format.js";
import { html, useEffect, useState } from "../lib.js";
import { Code, Empty, firstCall, Words } from "../parts/marks.js";
import { href } from "../router.js";
import { sandboxLabel, state, subscribe, useStore } from "../store.js";

/** How often the journal is judged again at most, in milliseconds. */
const PACE = 2000;
/** Of all sandboxes, so many are judged: those that were used last. */
const SANDBOXES = 12;
const MOST_LINKS = 20;

export function Audit() {
  const { selected, sandboxes, log, loaded } = useStore("frame");
  const { found, at, error } = useFindings(selected, loaded);
  if (error) return html`<${Empty} title="The audit cannot be read"><p>${error}</p><//>`;
  if (!found) return html`<${Empty} title="Judging the journal …" />`;
  const total = found.reduce((sum, each) => sum + each.findings.length, 0);
  return html`<div class="view narrow">
    <header class="view-head">
      <h1>${total ? plural(total, "finding") : "No findings"}</h1>
      <span class="dim">judged at ${timeOfDay(at, false)}, again with each new request</span>
    </header>
    ${!total && (log.items.length
      ? html`<p>Nothing that the audit knows is wrong with ${plural(log.items.length, "request")}. A fault shows more: arm one, and run your client again.</p>`
      : html`<p>There are no requests to check yet.</p><${Code} text=${firstCall()} what="the curl line" label="A first request" />`)}
    ${found.map(({ sandbox, findings }) => html`
      ${findings.length > 0 && !selected && sandboxes.size > 1 && html`<h2 class="group">${sandbox ? sandboxLabel(sandbox) : "Requests that reached no sandbox"}</h2>`}
      ${findings.map((finding) => html`<${Finding} sandbox=${sandbox} ...${finding} />`)}`)}
  </div>`;
}

function Finding({ sandbox, code, message, requests, why, fix }) {
  return html`<article class="card finding">
    <header><code class="badge">${code}</code><h3>${visible(message)}</h3></header>
    <p><b>Why it matters.</b> <${Words} text=${why} /></p>
    <p><b>What to do.</b> <${Words} text=${fix} /></p>
    <nav aria-label="Requests of this finding" class="links">
      ${requests.slice(0, MOST_LINKS).map((seq) => html`<a href=${href({ view: "requests", open: `${sandbox ?? ""}/${seq}` })}>#${seq}</a>`)}
      ${requests.length > MOST_LINKS && html`<span class="dim">and ${requests.length - MOST_LINKS} more</span>`}
    </nav>
  </article>`;
}

/** What is found in the journals, judged again while requests come: one time after the other, in so long a pause. */
function useFindings(selected, loaded) {
  const [answer, setAnswer] = useState({});
  useEffect(() => {
    if (!loaded) return undefined;
    let over = false;
    let timer = 0;
    let isJudging = false;
    let isNew = false;
    const judge = async () => {
      timer = 0;
      isJudging = true;
      isNew = false;
      const answered = await findings(selected).catch((error) => ({ error: error.message }));
      isJudging = false;
      if (over) return;
      setAnswer({ ...answered, of: selected });
      if (isNew) soon();
    };
    const soon = () => {
      isNew = true;
      if (!isJudging) timer ||= setTimeout(judge, PACE);
    };
    judge();
    const stop = subscribe(["requests"], soon);
    return () => {
      over = true;
      clearTimeout(timer);
      stop();
    };
  }, [selected, loaded]);
  return loaded && answer.of === selected ? answer : {};
}

async function findings(selected) {
  const used = [...state.sandboxes.values()].filter((item) => item.requests > 0).sort((a, b) => a.idle_seconds - b.idle_seconds);
  const wanted = selected ? [selected] : used.slice(0, SANDBOXES).map((item) => item.id);
  const answers = await Promise.all(wanted.map((id) => get("/audit", id)));
  return { at: Date.now(), found: wanted.map((sandbox, place) => ({ sandbox, findings: answers[place].findings })) };
}
