// One line under the head: how the chosen sandbox is, whichever view is open.

import { html } from "./lib.js";
import { count, plural, utc, visible } from "./format.js";
import { sandboxNow, useTick } from "./sandbox_clock.js";
import { href } from "./router.js";
import { theSandbox, useStore } from "./store.js";

export function Vitals() {
  const state = useStore("frame", "clock", "story");
  const alone = theSandbox();
  useTick(alone && state.clock && !state.clock.frozen ? 1000 : 0);
  return html`<div class="vitals" role="group" aria-label="The sandbox at a glance">${alone ? one(state) : all(state)}</div>`;
}

function one({ clock, usage, scenario, rules }) {
  const armed = rules.filter((each) => each.origin === "injected").length;
  const name = scenario && scenario.name !== "none" ? scenario.name : "no scenario";
  const phase = scenario?.phase ? ` · ${scenario.phase.name}` : "";
  const speed = !clock ? "" : clock.frozen ? "frozen" : clock.speed === 1 ? "" : `${clock.speed} ×`;
  return [
    item("time", "Clock", clock ? utc(sandboxNow()) : "–", speed),
    item("world", "Balance", usage?.balance ?? "–", usage ? `${usage.hourly}/h` : ""),
    item("world", "Rate window", usage ? `${count(usage.rate_window.used)} / ${count(usage.rate_window.limit)}` : "–"),
    item("story", "Scenario", visible(name + phase)),
    item("story", "Armed", armed ? plural(armed, "fault") : "none", "", armed > 0),
  ];
}

function all({ sandboxes, log }) {
  const homeless = log.items.reduce((most, each) => (each.sandbox ? most : Math.max(most, each.seq)), 0);
  const requests = [...sandboxes.values()].reduce((sum, each) => sum + each.requests, homeless);
  const instances = [...sandboxes.values()].reduce((sum, each) => sum + each.instances, 0);
  const cut = log.items.filter(({ status, complete }) => complete && (status === null || status >= 400)).length;
  return [
    item("requests", "Sandboxes", count(sandboxes.size)),
    item("requests", "Requests", count(requests)),
    item("requests", "Without success", count(cut), `of the last ${count(log.items.length)}`),
    item("world", "Instances", count(instances)),
  ];
}

function item(view, label, value, note = "", strong = false) {
  return html`<a class="vital ${strong ? "strong" : ""}" href=${href({ view })}><span class="label">${label}</span> <span class="num">${value}</span>${note && html` <span class="dim">${note}</span>`}</a>`;
}
