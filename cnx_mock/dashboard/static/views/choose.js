// What the views of one sandbox show while all are chosen: which there are, to take one.

import { html } from "../lib.js";
import { ago, count } from "../format.js";
import { Code, Empty, firstCall, TRY_KEY } from "../parts/marks.js";
import { href } from "../router.js";
import { sandboxLabel, theSandbox, useStore } from "../store.js";

/** Most rows of the table; the chooser has them all. */
const MOST = 100;

/** Draw a view for the sandbox that is chosen; without one, the list of them. Each sandbox has a view of its own: a dialog
 * of another one's is closed. */
export function OneSandbox({ title, view: View }) {
  const state = useStore("frame");
  const chosen = theSandbox();
  if (chosen) return html`<${View} key=${chosen} />`;
  if (!state.sandboxes.size) {
    return html`<${Empty} title="No sandbox yet">
      <p>The first request with a test key makes one.</p>
      <${Code} text=${TRY_KEY} what="the line" label="A test key" />
      <${Code} text=${firstCall()} what="the curl line" label="A first request" />
    <//>`;
  }
  const items = [...state.sandboxes.values()].sort((a, b) => a.idle_seconds - b.idle_seconds);
  return html`<div class="view narrow">
    <h2>${title}: of which sandbox?</h2>
    <p class="dim">Each test key has its own sandbox.</p>
    <div class="table-scroll" tabindex="0" role="region" aria-label="Sandboxes, table"><table class="grid" aria-label="Sandboxes">
      <thead><tr><th scope="col">Key</th><th scope="col" class="r">Instances</th><th scope="col" class="r">Requests</th><th scope="col" class="r">Rules</th><th scope="col" class="r">Last request</th></tr></thead>
      <tbody>
        ${items.slice(0, MOST).map(
          (item) => html`<tr>
            <th scope="row"><a href=${href({ sandbox: item.id })}>${sandboxLabel(item.id)}</a></th>
            <td class="r num">${count(item.instances)}</td><td class="r num">${count(item.requests)}</td><td class="r num">${count(item.rules)}</td>
            <td class="r num">${item.requests ? ago(Date.now() - item.idle_seconds * 1000) : "–"}</td>
          </tr>`,
        )}
      </tbody>
    </table></div>
    ${items.length > MOST && html`<p class="dim">The ${MOST} that were used last, of ${count(items.length)}.</p>`}
  </div>`;
}
