// The story of one sandbox: the current scenario, its phases, its rules, and what is armed on top of it.

import { copy, jump, removeScenario, startScenario } from "../actions.js";
import { get } from "../api.js";
import { duration, plural, visible } from "../format.js";
import { html, useEffect, useState } from "../lib.js";
import { loadStory } from "../load.js";
import { Dialog } from "../parts/dialog.js";
import { Bolt, Figure } from "../parts/marks.js";
import { sandboxNow, useTick } from "../sandbox_clock.js";
import { theSandbox, toast, useStore } from "../store.js";
import { openArm } from "./arm.js";
import { OneSandbox } from "./choose.js";
import { Rules } from "./rules.js";
import { Select } from "./request_filters.js";

export const Story = () => html`<${OneSandbox} title="Story" view=${Whole} />`;

function Whole() {
  const state = useStore("story");
  const { scenario, story, rules, gallery, loaded } = state;
  const [file, setFile] = useState(null);
  useEffect(() => loadStory(0), []);
  const none = !scenario || scenario.name === "none";
  const write = async () => {
    try {
      setFile(await get("/story/file", theSandbox()));
    } catch (error) {
      toast(error.message, { bad: true });
    }
  };
  return html`<div class="view">
    <h1 class="sr-only">Story</h1>
    <section class="card block" aria-label="Scenario">
      <header class="block-head">
        <h2>${!none ? visible(scenario.name) : loaded ? "No scenario" : "Reading …"}</h2>
        <span class="grow"></span>
        <${Start} gallery=${gallery} />
        <button type="button" class="button" disabled=${none} onClick=${removeScenario}>Remove</button>
      </header>
      ${(none ? loaded : scenario.description) && html`<p class="pad">${none ? "No fault is active. Start a scenario of the gallery, or arm a fault." : visible(scenario.description)}</p>`}
      ${scenario?.error && html`<p class="error pad" role="alert">${visible(scenario.error)}</p>`}
      <${Timeline} story=${story} />
      <${Lines} title="Not as expected" lines=${scenario?.unmet} />
      <${Lines} title="Can never happen" lines=${scenario?.warnings} />
    </section>
    <section class="card block" aria-label="Rules">
      <header class="block-head">
        <h2>Rules <span class="dim num">${rules.length}</span></h2>
        <span class="grow"></span>
        <button type="button" class="button" onClick=${write}>Save as YAML</button>
        <button type="button" class="button primary" onClick=${() => openArm()}><${Bolt} />Arm a fault</button>
      </header>
      <${Rules} rules=${rules} />
    </section>
    ${file && html`<${File} file=${file} onClose=${() => setFile(null)} />`}
  </div>`;
}

function Start({ gallery }) {
  const [name, setName] = useState("");
  const chosen = name || gallery[0]?.name || "";
  const options = gallery.map((each) => [each.name, each.name]);
  const about = gallery.find((each) => each.name === chosen)?.description;
  return html`<span class="pair" title=${about}>
    <${Select} label="Scenario of the gallery" value=${chosen} options=${options} onChange=${(event) => setName(event.target.value)} />
    <button type="button" class="button" disabled=${!chosen} onClick=${() => startScenario(chosen)}>Start</button>
  </span>`;
}

/** The phases side by side, as long as they last; a click begins one. */
function Timeline({ story }) {
  useTick(250);
  if (!story) return null;
  const { phases, index } = story;
  if (!phases.length) return html`<p class="dim pad">This scenario has no phases: its rules are always active.</p>`;
  const longest = Math.max(60, ...phases.map(({ seconds }) => seconds ?? 0));
  const elapsed = Math.max(0, sandboxNow() - Date.parse(story.since));
  return html`<div class="timeline-box">
    <ol class="timeline" aria-label="Phases">
      ${phases.map((phase, place) => {
        const share = Math.max(phase.seconds ?? 0, longest / 5);
        return html`<li class=${place === index ? "now" : place < index && !story.repeat ? "past" : ""} aria-current=${place === index ? "step" : undefined} style=${{ flexGrow: String(share) }}>
          <button type="button" class="phase" onClick=${() => jump(phase.name)} aria-label="Begin phase ${phase.name} now">
            <b>${visible(phase.name)}</b><span class="num">${length(phase)}</span>
          </button>
          ${place === index && html`<i class="phase-progress" style=${{ width: `${progress(phase, story, elapsed) * 100}%` }}></i>`}
        </li>`;
      })}
    </ol>
    <dl class="figures small">
      <${Figure} label="Now" value=${phases[index].name} note="for ${duration(elapsed)}" />
      <${Figure} label="Next" value=${next(story)} note=${until(phases[index], story, elapsed)} />
      <${Figure} label="Requests in this phase" value=${story.requests} />
    </dl>
  </div>`;
}

function length({ seconds, requests }) {
  if (seconds !== null) return duration(seconds * 1000);
  return requests === null ? "to the end" : plural(requests, "request");
}

function progress({ seconds, requests }, story, elapsed) {
  if (seconds !== null) return Math.min(1, elapsed / (seconds * 1000));
  return requests === null ? 0 : Math.min(1, story.requests / requests);
}

function next({ phases, index, repeat }) {
  const following = phases[index + 1] ?? (repeat ? phases[0] : null);
  return following ? following.name : "nothing";
}

function until({ seconds, requests }, story, elapsed) {
  if (seconds !== null) return `in ${duration(Math.max(0, seconds * 1000 - elapsed))}`;
  return requests === null ? "this phase does not end" : `after ${plural(Math.max(0, requests - story.requests), "more request")}`;
}

function Lines({ title, lines }) {
  if (!lines?.length) return null;
  return html`<div class="lines"><h3>${title}</h3><ul>${lines.map((line) => html`<li>${visible(line)}</li>`)}</ul></div>`;
}

/** The current scenario, as a file. */
function File({ file, onClose }) {
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.yaml], { type: "application/yaml" }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return html`<${Dialog} title=${file.name} onClose=${onClose} wide>
    <p class="dim">The scenario and all added faults, as one file. <code>cnx-mock serve --scenario ${file.name}</code> serves it.</p>
    <pre class="body-text" tabindex="0" aria-label="The file">${visible(file.yaml)}</pre>
    <footer class="dialog-foot">
      <button type="button" class="button" onClick=${() => copy(file.yaml, file.name)}>Copy</button>
      <button type="button" class="button primary" onClick=${save}>Download</button>
    </footer>
  <//>`;
}
