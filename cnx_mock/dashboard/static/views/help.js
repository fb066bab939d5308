// The keys of the page.

import { html } from "../lib.js";
import { Dialog } from "../parts/dialog.js";

const KEYS = [
  ["1 … 5", "a view: Requests, World, Story, Time, Audit"],
  ["j  k", "the next, the former request (also ↓ ↑)"],
  ["Enter", "open the newest request"],
  ["/", "filter the requests"],
  ["Esc", "close the request; clear the filters"],
  ["p", "pause the list, and go on"],
  ["c", "copy the open request as curl"],
  ["t", "copy the open request as a pytest test"],
  ["b", "break this call: arm a fault for its operation"],
  ["f", "arm a fault"],
  ["?", "this list"],
];

export function Help({ onClose }) {
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <dl class="keys">${KEYS.map(([key, words]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${words}</dd></div>`)}</dl>
  <//>`;
}
