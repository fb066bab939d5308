// The show of `cnx-mock demo`: a lane for each client, live, and at the end what was seen. It can be played again.

import { get } from "../api.js";
import { visible } from "../format.js";
import { html, useEffect, useRef, useState } from "../lib.js";
import { Code, Empty } from "../parts/marks.js";
import { subscribe } from "../store.js";
import { Axis, Lane, Legend } from "./demo_lane.js";

/** How often the show is read while it runs, in milliseconds; events make it be read at once. */
const PACE = 500;
const SOON = 80;
/** Most attempts of a lane that are shown. */
const MOST = 500;
/** The shortest time axis, in milliseconds. */
const LEAST = 6000;
const STYLE = "/_mock/ui/css/demo.css";

export function Demo() {
  const styled = useStyle();
  const { show, attempts, error } = useShow();
  const [replay, start] = useReplay(show, attempts);
  if (error) return html`<${Empty} title=${error}><p><code>cnx-mock demo</code> starts one.</p><//>`;
  if (!show || !styled) return html`<${Empty} title="Reading the show …" />`;
  const until = replay ?? clock(show, attempts);
  const begin = beginning(show);
  const span = replay === null ? Math.max(LEAST, until - begin) : Math.max(LEAST, ending(show, attempts) - begin);
  const done = show.state === "done" && replay === null;
  return html`<div class="view demo">
    <header class="demo-head">
      <div>
        <h1>${visible(show.title)}</h1>
        <p class="demo-description">${visible(show.description)}</p>
      </div>
      <div class="demo-tools">
        <span class="demo-state ${done ? "" : "running"}">${done ? "The show is over" : replay === null ? "Live" : "Playing again"}</span>
        ${show.state === "done" && html`<button type="button" class="button" onClick=${start}>${replay === null ? "Play again" : "Stop"}</button>`}
      </div>
    </header>
    <section class="demo-lanes" aria-label="Clients, side by side">
      ${show.lanes.map((lane) => html`<${Lane} key=${lane.sandbox} lane=${lane} attempts=${attempts.get(lane.sandbox) ?? []}
        begin=${begin} span=${span} until=${until} judged=${replay === null} />`)}
      <${Axis} span=${span} />
      <${Legend} />
    </section>
    <p class="sr-only" role="status">${done ? show.summary : show.lanes.filter((lane) => lane.verdict).map((lane) => `${lane.label}: ${lane.verdict}.`).join(" ")}</p>
    ${done && html`<section class="card demo-end" aria-label="What was seen">
      <p>${visible(show.summary)}</p>
      <h2>Try next</h2>
      <${Code} text=${show.next} what="the command" label="The command to try next" />
    </section>`}
  </div>`;
}

/** The show as the server has it, and the attempts of each lane. Read again with each event, and every half second. */
function useShow() {
  const [found, setFound] = useState({ show: null, attempts: new Map(), error: "" });
  const known = useRef(found);
  useEffect(() => {
    let over = false;
    let timer = 0;
    const soon = (delay) => {
      clearTimeout(timer);
      timer = setTimeout(look, delay);
    };
    async function look() {
      try {
        if (!known.current.show && !(await get("")).demo) {
          setFound({ ...known.current, error: "This server has no demo." });
          return;
        }
        const show = await get("/demo");
        const attempts = await attemptsOf(show, known.current);
        if (over) return;
        known.current = { show, attempts, error: "" };
        setFound(known.current);
        if (show.state === "running") soon(PACE);
      } catch {
        if (!over) soon(2 * PACE);
      }
    }
    look();
    const stop = subscribe(["requests"], () => known.current.show?.state === "running" && soon(SOON));
    return () => {
      over = true;
      clearTimeout(timer);
      stop();
    };
  }, []);
  return found;
}

/** Read the journals of the lanes that have made more attempts, or have one under way. */
async function attemptsOf(show, known) {
  const lists = await Promise.all(show.lanes.map(async (lane) => {
    const before = known.attempts.get(lane.sandbox);
    if (before?.length === lane.attempts && before.every((each) => each.complete)) return before;
    return (await get(`/requests?limit=${MOST}`, lane.sandbox)).data.map(attempt);
  }));
  return new Map(show.lanes.map((lane, place) => [lane.sandbox, lists[place]]));
}

function attempt(entry) {
  return {
    seq: entry.seq,
    at: Date.parse(entry.wall),
    method: entry.method || "?",
    path: entry.path,
    status: entry.status,
    complete: entry.duration_ms !== null,
    faults: entry.faults.map((each) => each.fault),
    committed: entry.committed,
    name: nameIn(entry.request_body),
  };
}

function nameIn(body) {
  try {
    const { name } = JSON.parse(body);
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

const instants = (show, key) => show.lanes.map((lane) => lane[key]).filter(Boolean).map((each) => Date.parse(each));
const beginning = (show) => Math.min(...instants(show, "started_at"), Infinity);

function ending(show, attempts) {
  const last = [...attempts.values()].flat().map((each) => each.at);
  return Math.max(...instants(show, "ended_at"), ...last, beginning(show));
}

/** Where the show is: now while a client runs, then its end. */
function clock(show, attempts) {
  const running = show.lanes.some((lane) => !lane.ended_at);
  return running ? Math.max(Date.now(), ending(show, attempts)) : ending(show, attempts);
}

/** Play the show again from its beginning, as fast as it was. Returns where it is, null if it does not play. */
function useReplay(show, attempts) {
  const [at, setAt] = useState(null);
  const running = show?.lanes.some((lane) => !lane.ended_at);
  const [, draw] = useState(0);
  const playing = at !== null;
  useEffect(() => {
    if (!playing && !running) return undefined;
    let frame = 0;
    const began = performance.now();
    const step = () => {
      if (playing) {
        const place = beginning(show) + performance.now() - began;
        if (place > ending(show, attempts)) {
          setAt(null);
          return;
        }
        setAt((now) => now === null ? null : place); // it may have been stopped a moment ago
      } else {
        draw((count) => count + 1);
      }
      frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [playing, running]);
  return [at, () => setAt(playing ? null : beginning(show))];
}

/** The view's own style sheet, which is read with it. Returns whether it is there. */
function useStyle() {
  const [there, setThere] = useState(Boolean(document.querySelector(`link[href="${STYLE}"][data-read]`)));
  useEffect(() => {
    if (there) return;
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLE;
    link.onload = link.onerror = () => {
      link.dataset.read = "";
      setThere(true);
    };
    document.head.append(link);
  }, []);
  return there;
}
