// A request's or an answer's body: JSON laid out and coloured, everything else as it came. It is text and stays text.

import { visible } from "../format.js";
import { html, useMemo } from "../lib.js";

/** Longer bodies are shown without colours: each colour is an element of the document. */
const MOST_COLOURED = 20_000;
const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function BodyText({ text, label }) {
  const shown = useMemo(() => laidOut(text), [text]);
  if (!text) return html`<p class="dim pad">No body.</p>`;
  return html`<pre class="body-text" tabindex="0" aria-label=${label}>${coloured(shown)}</pre>`;
}

function laidOut(text) {
  if (!text) return "";
  try {
    return visible(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return visible(text);
  }
}

function coloured(text) {
  if (text.length > MOST_COLOURED || !/^\s*[[{]/.test(text)) return text;
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(TOKENS)) {
    if (found.index > from) parts.push(text.slice(from, found.index));
    const [all, string, colon] = found;
    const kind = string ? (colon ? "key" : "string") : "number";
    parts.push(html`<span class="t-${kind}">${string ?? all}</span>`);
    if (colon) parts.push(colon);
    from = found.index + all.length;
  }
  parts.push(text.slice(from));
  return parts;
}

export function Headers({ headers, label }) {
  if (!headers.length) return html`<p class="dim pad">No headers.</p>`;
  return html`<table class="headers" aria-label=${label}>
    <tbody>
      ${headers.map(([name, value]) => html`<tr><th scope="row">${visible(name)}</th><td>${visible(value)}</td></tr>`)}
    </tbody>
  </table>`;
}
