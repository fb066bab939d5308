// One client of a demo: its attempts on a time axis, what they came to, and what that costs.

import { duration, plural, visible } from "../format.js";
import { html, useRef, useState } from "../lib.js";
import { href } from "../router.js";
import { OUTCOMES, outcome } from "../requests_log.js";

const NOT_JUDGED = "not judged";
const GOOD = ["survived", "recovered", "failed cleanly", "doubled"];
/** Seconds between two ticks of the axis, the first that leaves room for words. */
const TICKS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];
const MOST_TICKS = 8;
/** What a mark takes on the axis, in pixels on a wide screen, and how many marks before it can move one. */
const WIDTH = { reads: 11, deletes: 20, writes: 25 };
const MOST_MOVED = 8;

export function Lane({ lane, attempts, begin, span, until, judged }) {
  const shown = attempts.filter((each) => each.at <= until);
  const verdict = judged ? lane.verdict : null;
  const kind = !verdict || verdict === NOT_JUDGED ? "" : GOOD.includes(verdict) ? "good" : "bad";
  const end = lane.ended_at ? Math.min(until, Date.parse(lane.ended_at)) : until;
  return html`<article class="card demo-lane ${kind}" aria-label="The client ${lane.label}">
    <header>
      <div class="demo-who">
        <h2>${visible(lane.label)}</h2>
        <code class="dim" title=${visible(lane.command)}>${visible(lane.command)}</code>
      </div>
      <${Verdict} lane=${lane} verdict=${verdict} judged=${judged} />
    </header>
    <${Track} lane=${lane} shown=${shown} begin=${begin} span=${span} end=${end} twins=${kind === "bad" ? twins(attempts) : []} />
    <dl class="demo-figures">
      <${Number} label="attempts" value=${shown.length} />
      <${Number} label="succeeded" value=${shown.filter(succeeded).length} />
      <${Number} label="duplicated" value=${verdict ? lane.duplicated : 0} bad />
      <${Number} label="leaked" value=${verdict ? lane.leaked : 0} bad />
      <${Number} label="lost" value=${verdict ? lane.lost : 0} bad />
      <div class="demo-cost"><dt>costs a month</dt><dd class="num">${judged ? lane.monthly_cost : "…"}</dd></div>
      <div class="demo-cost ${verdict && lane.monthly_waste !== "$0.00" ? "bad" : ""}"><dt>of it wasted</dt><dd class="num">${verdict ? lane.monthly_waste : "…"}</dd></div>
    </dl>
  </article>`;
}

function Verdict({ lane, verdict, judged }) {
  if (!verdict) return html`<p class="demo-verdict waiting">${judged && lane.ended_at ? "being judged …" : "running …"}</p>`;
  return html`<div class="demo-verdict">
    <p class="demo-word">${verdict}</p>
    <p class="demo-words">${visible(lane.words)}</p>
  </div>`;
}

function Number({ label, value, bad = false }) {
  return html`<div class=${bad && value ? "bad" : ""}><dt>${label}</dt><dd class="num">${value}</dd></div>`;
}

/** The attempts in order, each at its time. One is reached by Tab, the others by the arrow keys. */
function Track({ lane, shown, begin, span, end, twins: doubled }) {
  const [current, setCurrent] = useState(0);
  const list = useRef(null);
  const place = Math.min(current, shown.length - 1);
  const move = (event) => {
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= shown.length) return;
    event.preventDefault();
    setCurrent(to);
    list.current.children[to].firstElementChild.focus();
  };
  const places = shown.map((each) => percent(each.at, begin, span));
  const at = (ms) => `${percent(ms, begin, span)}%`;
  const life = lane.started_at ? { left: at(Date.parse(lane.started_at)), right: `calc(100% - max(${at(end)}, ${shown.length ? apart(shown, places, shown.length - 1) : "0%"}))` } : { left: 0, right: "100%" };
  return html`<div class="demo-track">
    <div class="demo-life ${lane.ended_at ? "" : "running"}" style=${life}></div>
    <ol ref=${list} onKeyDown=${move} aria-label="Attempts of ${visible(lane.label)}: arrow keys go from one to the next">
      ${shown.map((each, index) => html`<li key=${each.seq} style=${{ left: apart(shown, places, index) }}>
        <a class="demo-mark ${outcome(each)} ${kindOf(each)} ${doubled.includes(each.seq) ? "twin" : ""}" tabindex=${index === place ? 0 : -1}
          href=${href({ view: "requests", sandbox: lane.sandbox, open: `${lane.sandbox}/${each.seq}` })}
          aria-label=${words(each, begin)} title=${words(each, begin)} onFocus=${() => setCurrent(index)}><i aria-hidden="true"></i></a>
        ${each.name && !["GET", "DELETE"].includes(each.method) && firstOfRun(shown, index) && html`<span class="demo-name" aria-hidden="true">${visible(each.name)}</span>`}
      </li>`)}
    </ol>
  </div>`;
}

/** The time axis below all lanes. */
export function Axis({ span }) {
  const step = TICKS.find((each) => span / 1000 / each <= MOST_TICKS) ?? TICKS.at(-1);
  const ticks = Array.from({ length: Math.floor(span / 1000 / step) + 1 }, (_, number) => number * step);
  return html`<div class="demo-axis" aria-hidden="true">
    ${ticks.map((tick) => html`<span key=${tick} class="num" style=${{ left: `${(tick * 100_000) / span}%` }}>${tick} s</span>`)}
  </div>`;
}

const SIGNS = [
  ["ok writes", "created"],
  ["ok reads", "read"],
  ["ok deletes", "deleted"],
  ["refused", "refused (4xx)"],
  ["failed", "failed (5xx)"],
  ["cut", "no answer"],
  ["ok writes twin", "created twice"],
];

/** What the marks mean. */
export function Legend() {
  return html`<ul class="demo-legend" aria-label="What the marks mean">
    ${SIGNS.map(([kind, meaning]) => html`<li key=${kind}><span class="demo-mark ${kind}" aria-hidden="true"><i></i></span>${meaning}</li>`)}
  </ul>`;
}

const percent = (ms, begin, span) => Math.min(100, (Math.max(0, ms - begin) / span) * 100);

/** The place of a mark: its time, or so far behind the marks before it that all can be seen. */
function apart(shown, places, index) {
  const offers = [`${places[index]}%`];
  let gap = 0;
  for (let before = index - 1; before >= Math.max(0, index - MOST_MOVED); before -= 1) {
    gap += (room(shown[before]) + room(shown[before + 1])) / 2;
    offers.push(`${places[before]}% + ${gap} * var(--demo-gap)`);
  }
  return `min(100%, max(${offers.join(", ")}))`;
}

const room = (each) => (succeeded(each) ? WIDTH[kindOf(each)] : WIDTH.writes);

const succeeded = (each) => each.status !== null && each.status < 400;

const kindOf = ({ method }) => ({ GET: "reads", HEAD: "reads", DELETE: "deletes" })[method] ?? "writes";

/** The attempts that created something that was created before, and the first ones of these. */
function twins(attempts) {
  const made = Map.groupBy ? Map.groupBy(created(attempts), keyOf) : grouped(created(attempts));
  return [...made.values()].filter((each) => each.length > 1).flat().map((each) => each.seq);
}

const created = (attempts) => attempts.filter((each) => each.method === "POST" && each.committed && each.name);
const keyOf = (each) => `${each.path} ${each.name}`;

function grouped(items) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Whether the attempt before this one was not the same: the name of what is tried several times stands once. */
function firstOfRun(shown, index) {
  const before = shown[index - 1];
  return !before || before.name !== shown[index].name || succeeded(shown[index]) !== succeeded(before);
}

function words(each, begin) {
  const status = each.status ?? (each.complete ? "no answer" : "under way");
  const after = each.status === null && each.committed ? "but it has happened" : "";
  const parts = [`${each.method} ${each.path}`, String(status), OUTCOMES[outcome(each)], each.name, ...each.faults, after];
  return visible([...new Set(parts.filter(Boolean)), `after ${duration(Math.max(0, each.at - begin))}`].join(", "));
}
