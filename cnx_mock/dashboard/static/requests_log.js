// The newest requests, without headers and bodies: those are fetched when a request is opened.

/** How many requests the page keeps. */
export const MOST = 2000;
const SLACK = 200;

export class RequestLog {
  constructor() {
    /** The newest last. */
    this.items = [];
    this.byKey = new Map();
    /** How many were dropped because there were too many. */
    this.dropped = 0;
    /** It rises with every change. */
    this.revision = 0;
  }

  /** Add an entry of a journal, or complete one that was under way. Returns it, and whether it is complete for the first
   * time. */
  add(sandbox, entry) {
    const key = `${sandbox ?? ""}/${entry.seq}`;
    const known = this.byKey.get(key);
    if (known?.complete && entry.duration_ms === null) return [known, false]; // an answer that was under way for long
    const item = known ?? { key, sandbox };
    const first = !item.complete && entry.duration_ms !== null;
    Object.assign(item, summary(entry));
    this.revision += 1;
    if (!known) {
      this.byKey.set(key, item);
      this.items.push(item);
      this.trim();
    }
    return [item, first];
  }

  /** Forget the requests of a sandbox: its journal begins anew, with the number 1. */
  forget(sandbox) {
    for (const item of this.items) if (item.sandbox === sandbox) this.byKey.delete(item.key);
    this.items = this.items.filter((item) => item.sandbox !== sandbox);
    this.revision += 1;
  }

  sort() {
    this.items.sort((a, b) => a.wall - b.wall);
    this.revision += 1;
  }

  trim() {
    const extra = this.items.length - MOST;
    if (extra <= SLACK) return;
    for (const item of this.items.splice(0, extra)) this.byKey.delete(item.key);
    this.dropped += extra;
  }
}

function summary(entry) {
  return {
    seq: entry.seq,
    id: entry.request_id,
    wall: Date.parse(entry.wall),
    method: entry.method || "?",
    path: entry.path,
    query: entry.query,
    operation: entry.operation,
    status: entry.status,
    ms: entry.duration_ms,
    delayed: entry.delayed_ms,
    faults: entry.faults,
    created: entry.created_id,
    problem: entry.problem,
    complete: entry.duration_ms !== null,
  };
}

/** ok, refused (4xx), failed (5xx), cut (no answer) or pending */
export function outcome(item) {
  if (item.status === null) return item.complete ? "cut" : "pending";
  if (item.status >= 500) return "failed";
  return item.status >= 400 ? "refused" : "ok";
}

export const OUTCOMES = {
  ok: "answered",
  refused: "refused (4xx)",
  failed: "failed (5xx)",
  cut: "cut, no answer",
  pending: "under way",
};

/** Whether a request passes the filters of the list. */
export function passes(item, { text, operation, status, fault }) {
  if (operation && item.operation !== operation) return false;
  if (status && outcome(item) !== status && String(item.status) !== status) return false;
  if (fault === "any" ? !item.faults.length : fault === "none" ? item.faults.length : false) return false;
  if (fault.startsWith("rule:") && !item.faults.some((each) => `rule:${each.rule}` === fault)) return false;
  return !text || haystack(item).includes(text);
}

function haystack(item) {
  if (!item.words || item.wordsOf !== item.status) {
    const faults = item.faults.map((each) => `${each.rule} ${each.fault}`).join(" ");
    const parts = [`#${item.seq}`, item.method, `${item.path}?${item.query}`, item.operation, item.status, item.id];
    item.words = [...parts, item.created, faults, item.problem].join(" ").toLowerCase();
    item.wordsOf = item.status;
  }
  return item.words;
}
