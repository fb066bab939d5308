// Arms a one-off fault: what, where, how often, and before or after the change is committed. All of it has a default, so
// that opening the dialog and confirming it is enough.

import { arm } from "../actions.js";
import { flow } from "../format.js";
import { html, useRef, useState } from "../lib.js";
import { Dialog } from "../parts/dialog.js";
import { changedNow, state, theSandbox, useStore } from "../store.js";
import { Select } from "./request_filters.js";

const OFTEN = [["1", "once"], ["2", "twice"], ["3", "three times"], ["5", "five times"], ["", "every time"]];
const AT = [["before", "before it has an effect"], ["after", "after its change is committed"]];
const DEFAULT = "error=INTERNAL_ERROR";

/** Open the dialog for a call. Nothing is armed until it is confirmed. */
export function openArm({ sandbox = theSandbox(), operation = null } = {}) {
  state.arming = { sandbox, operation };
  changedNow("frame");
}

/** Close the dialog that is open, or this one, if it still is. */
export function closeArm(arming = state.arming) {
  if (!arming || state.arming !== arming) return;
  state.arming = null;
  changedNow("frame");
}

export function ArmDialog() {
  const { arming } = useStore("frame");
  return arming && html`<${Arm} key=${arming} arming=${arming} />`;
}

function Arm({ arming }) {
  const { sandbox, operation } = arming;
  const { vocabulary } = state;
  const faults = choices(vocabulary.faults);
  const [given, setGiven] = useState({ fault: DEFAULT, value: "", where: operation ?? "", often: "1", at: "before" });
  const [error, setError] = useState("");
  const isSent = useRef(false);
  const chosen = faults.find(({ id }) => id === given.fault) ?? faults[0];
  const set = (name) => (event) => setGiven({ ...given, [name]: event.target.value, ...(name === "fault" && { value: "" }) });
  const rule = ruleOf(given, chosen);
  const confirm = async (event) => {
    event.preventDefault();
    if (isSent.current) return; // a second Enter, while the first is under way
    isSent.current = true;
    try {
      await arm(rule, sandbox);
      closeArm(arming);
    } catch (refusal) {
      isSent.current = false;
      setError(refusal.message);
    }
  };
  return html`<${Dialog} title="Arm a fault" onClose=${() => closeArm(arming)}>
    <form class="form" onSubmit=${confirm}>
      <label><span>What</span>
        <select value=${given.fault} onChange=${set("fault")}>
          ${groups(faults).map(([title, group]) => html`<optgroup label=${title}>
            ${group.map(({ id }) => html`<option value=${id} selected=${id === given.fault}>${id.replace("=", ": ")}</option>`)}
          </optgroup>`)}
        </select></label>
      ${chosen?.open && html`<label><span>Value</span><input type="text" value=${given.value || written(chosen.value)} onInput=${set("value")} /></label>`}
      <label><span>Where</span><${Select} label="Where" value=${given.where} onChange=${set("where")}
        options=${[["", "every operation"], ...vocabulary.operations.map(({ name, method, path }) => [name, `${name} · ${method} ${path}`])]} /></label>
      <label><span>How often</span><${Select} label="How often" value=${given.often} onChange=${set("often")} options=${OFTEN} /></label>
      <label><span>When</span><${Select} label="When" value=${given.at} onChange=${set("at")} options=${AT} /></label>
      <pre class="rule-text">${Object.entries(rule).map(([name, each]) => `${name}: ${flow(each)}`).join("\n")}</pre>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick=${() => closeArm(arming)}>Cancel</button>
        <button type="submit" class="button primary" autofocus>Arm it</button>
      </footer>
    </form>
  <//>`;
}

/** Every fault with a name of its own. `open` means that its value can be another one. */
function choices(faults) {
  return faults.flatMap(({ key, example, outcome, choices: codes }) => {
    if (codes.length) return codes.map((code) => ({ id: `${key}=${code}`, key, value: code, outcome, open: false }));
    const value = example[key];
    const open = key !== "connection" && value !== "malformed_json";
    const words = typeof value === "string" || typeof value === "number" ? value : Object.keys(value)[0];
    return [{ id: open && key !== "body" ? key : `${key}=${words}`, key, value, outcome, open }];
  });
}

const GROUPS = { error: "An error of the API", status: "An error of the API", connection: "A broken connection", body: "A broken body" };

function groups(faults) {
  const found = new Map();
  for (const fault of faults) {
    const title = GROUPS[fault.key] ?? "A slower or other answer";
    found.set(title, [...(found.get(title) ?? []), fault]);
  }
  return ["An error of the API", "A broken connection", "A broken body", "A slower or other answer"]
    .filter((title) => found.has(title))
    .map((title) => [title, found.get(title)]);
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** The rule as a scenario file would have it. What is the default is left out. */
function ruleOf({ value, where, often, at }, chosen) {
  if (!chosen) return {};
  const rule = {};
  if (where) rule.match = { operation: where };
  if (often) rule.times = Number(often);
  if (at !== "before") rule.at = at;
  rule.fault = { [chosen.key]: value ? read(value) : chosen.value };
  return rule;
}

/** A value as it was typed: JSON if it is some, else text such as 200ms. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
