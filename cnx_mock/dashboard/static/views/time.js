// The sandbox's clock with its controls, and a chart of the last minutes.

import { advance, changeClock } from "../actions.js";
import { timeOfDay, utc } from "../format.js";
import { html, useState } from "../lib.js";
import { Figure } from "../parts/marks.js";
import { sandboxNow, useTick } from "../sandbox_clock.js";
import { theSandbox, useStore } from "../store.js";
import { Chart } from "./chart.js";

const STEPS = ["10s", "1m", "10m", "1h", "1d"];
const SPEEDS = [1, 10, 60, 600];
const MINUTES = [2, 5, 10];

export function Time() {
  const state = useStore("clock", "frame");
  const [minutes, setMinutes] = useState(5);
  return html`<div class="view">
    <h1 class="sr-only">Time</h1>
    ${theSandbox() && state.clock ? html`<${Clock} clock=${state.clock} />` : html`<p class="card pad dim">All sandboxes are shown. Choose one to see its clock and to move it.</p>`}
    <section class="card block" aria-label="Traffic">
      <header class="block-head">
        <h2>Traffic</h2><span class="dim">${state.selected ? "of this sandbox" : "of all sandboxes"}, in real time</span>
        <span class="grow"></span>
        <div class="segments" role="group" aria-label="How much is shown">
          ${MINUTES.map((each) => html`<button type="button" class="button small" aria-pressed=${each === minutes} onClick=${() => setMinutes(each)}>${each} min</button>`)}
        </div>
      </header>
      <${Chart} minutes=${minutes} />
    </section>
  </div>`;
}

function Clock({ clock }) {
  useTick(clock.frozen ? 0 : Math.max(50, Math.min(500, 1000 / clock.speed)));
  const [by, setBy] = useState("");
  const now = sandboxNow();
  const submit = (event) => {
    event.preventDefault();
    if (by.trim()) advance(by.trim());
  };
  return html`<section class="card block clock" aria-label="Clock">
    <dl class="figures">
      <${Figure} label="Sandbox time" value=${utc(now)} note=${clock.frozen ? "frozen" : `${clock.speed} × real time`} />
      <${Figure} label="Real time" value=${timeOfDay(Date.now(), false)} note=${utc(Date.now())} />
    </dl>
    <div class="controls">
      <fieldset><legend>Advance</legend>
        <div class="segments">
          ${STEPS.map((step) => html`<button type="button" class="button" onClick=${() => advance(step)}>+${step}</button>`)}
        </div>
        <form class="pair" onSubmit=${submit}>
          <input type="text" class="short" aria-label="Advance by" placeholder="90s" value=${by} onInput=${(event) => setBy(event.target.value)} />
          <button type="submit" class="button">Advance</button>
        </form>
      </fieldset>
      <fieldset><legend>Speed</legend>
        <div class="segments">
          ${SPEEDS.map((speed) => html`<button type="button" class="button" aria-pressed=${clock.speed === speed} onClick=${() => changeClock({ speed }, `${speed} × real time`)}>${speed} ×</button>`)}
        </div>
        <button type="button" class="button" aria-pressed=${clock.frozen} onClick=${() => changeClock({ frozen: !clock.frozen }, clock.frozen ? "The clock goes on" : "The clock is frozen")}>
          ${clock.frozen ? "Let it go on" : "Freeze"}
        </button>
      </fieldset>
    </div>
  </section>`;
}
