// What the page knows, in one object. It comes from GETs and from the stream of events; views read it and never write.

import { useLayoutEffect, useState } from "./lib.js";
import { RequestLog } from "./requests_log.js";
import { Series } from "./series.js";

/** How often views are drawn at most, in milliseconds. */
const PACE = 100;

const noTraffic = () => ({ log: new RequestLog(), series: new Series(), boundaries: [], loaded: false });

function noWorld() {
  return {
    clock: null,
    account: null,
    usage: null,
    scenario: null,
    story: null,
    rules: [],
    resources: { instance: new Map(), load_balancer: new Map(), firewall: new Map(), snapshot: new Map() },
    provisioning: new Map(),
  };
}

export const state = {
  /** connecting, live or down */
  connection: "connecting",
  notice: null,
  sandboxes: new Map(),
  /** The id of the chosen sandbox; null for all. */
  selected: null,
  vocabulary: { operations: [], faults: [] },
  gallery: [],
  demo: false,
  toasts: [],
  ...noTraffic(),
  ...noWorld(),
};

/** Forget everything about the chosen sandbox, or about all. It is gone from the page at once: no click can mean another
 * sandbox than the one that is seen. */
export function clear() {
  Object.assign(state, noTraffic(), noWorld());
  changedNow("frame", "requests", "world", "story", "clock");
}

/** Forget what is in the one sandbox that was shown. */
export function clearWorld() {
  Object.assign(state, noWorld());
  changedNow("frame", "world", "story", "clock");
}

const listeners = new Map();
const dirty = new Set();
let timer = 0;

/** Tell the views that something of these topics has changed: requests, world, story, clock, frame. */
export function changed(...topics) {
  for (const topic of topics) dirty.add(topic);
  timer ||= setTimeout(flush, PACE);
}

/** The same, at once: for what somebody has just clicked. */
export function changedNow(...topics) {
  changed(...topics);
  flush();
}

function flush() {
  clearTimeout(timer);
  timer = 0;
  const told = new Set();
  for (const topic of dirty) for (const listener of listeners.get(topic) ?? []) told.add(listener);
  dirty.clear();
  for (const listener of told) listener();
}

export function subscribe(topics, listener) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
  return () => topics.forEach((topic) => listeners.get(topic).delete(listener));
}

/** Draw the calling component again when one of these topics changes: from its first drawing on, so that nothing that
 * changes between this and an effect is missed. */
export function useStore(...topics) {
  const [, draw] = useState(0);
  useLayoutEffect(() => subscribe(topics, () => draw((count) => count + 1)), topics);
  return state;
}

let lastToast = 0;

/** Show a line at the bottom for some seconds. `undo` is called by a button beside it. */
export function toast(text, { undo, bad = false } = {}) {
  const item = { id: ++lastToast, text, undo, bad };
  state.toasts = [...state.toasts.slice(-2), item];
  changed("frame");
  setTimeout(() => dismiss(item.id), bad ? 12_000 : 7000);
}

export function dismiss(id) {
  state.toasts = state.toasts.filter((item) => item.id !== id);
  changedNow("frame");
}

/** Show a notice at the top until it is closed. */
export function notify(text) {
  state.notice = text;
  changedNow("frame");
}

/** The chosen sandbox; if all are shown and there is only one, that one; else null. */
export function theSandbox() {
  if (state.selected) return state.selected;
  return state.sandboxes.size === 1 ? state.sandboxes.keys().next().value : null;
}

/** What the page calls a sandbox: …0d9c, and its name if it has one. */
export function sandboxLabel(id) {
  const item = state.sandboxes.get(id);
  if (!item) return id ? "…????" : "no sandbox";
  return item.name ? `…${item.last4} · ${item.name}` : `…${item.last4}`;
}
