// What the page can change. Each is one call of the control plane; what it changed comes back by the stream.

import { call } from "./api.js";
import { loadClock, loadSandbox, loadStory, loadUsage } from "./load.js";
import { theSandbox, toast } from "./store.js";

/** Do it; a refusal is shown as a line at the bottom. Returns the answer, or null. */
export async function act(method, path, body, done) {
  try {
    const answer = await call(method, path, { body, sandbox: theSandbox() });
    if (done) toast(done);
    return answer;
  } catch (error) {
    toast(error.message, { bad: true });
    return null;
  }
}

export async function changeClock(body, done) {
  await act("PATCH", "/clock", body, done);
  loadClock(0);
}

export async function advance(by) {
  const answer = await act("POST", "/clock/advance", { by }, `Advanced by ${by}`);
  loadClock(0);
  loadStory(0);
  loadUsage(0);
  if (answer) await loadSandbox().catch(() => {});
}

export async function changeAccount(body, done) {
  await act("PATCH", "/account", body, done);
  await loadSandbox().catch(() => {});
}

export async function setStatus(id, status) {
  await act("PATCH", `/instances/${id}`, { status });
}

export async function startScenario(name) {
  if (await act("PUT", "/scenario", { name }, `${name} is active`)) loadStory(0);
}

export async function removeScenario() {
  if (await act("DELETE", "/scenario", undefined, "No scenario is active")) loadStory(0);
}

export async function jump(phase) {
  if (await act("POST", "/story/jump", { phase }, `Now in phase ${phase}`)) loadStory(0);
}

/** Arm a rule in a sandbox. Returns its state. Throws ApiError. */
export async function arm(rule, sandbox = theSandbox()) {
  const state = await call("POST", "/rules", { body: rule, sandbox });
  toast(`Armed ${state.id}`, { undo: () => disarm(state.id, sandbox) });
  loadStory(0);
  return state;
}

export async function disarm(id, sandbox = theSandbox()) {
  try {
    await call("DELETE", `/rules/${encodeURIComponent(id)}`, { sandbox });
    toast(`Removed ${id}`);
  } catch (error) {
    toast(error.message, { bad: true });
  }
  loadStory(0);
}

/** Put a text on the clipboard, and say so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copiedByHand(text)) {
      toast("The browser does not allow this page to copy.", { bad: true });
      return;
    }
  }
  toast(`Copied ${what}`);
}

/** For an address that is not a secure context: --control-host over plain HTTP. */
function copiedByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
