// Reads what the page shows, when it opens, when another sandbox is chosen, and after a restart of the server.

import { get } from "./api.js";
import { ask, heard } from "./newest.js";
import { clockOf } from "./sandbox_clock.js";
import { changed, clearWorld, state, theSandbox } from "./store.js";

/** How many requests are read when the page opens; the stream brings the rest. */
const FIRST_LOOK = 500;
/** Of all sandboxes, the journals of so many are read: those that were used last. */
const JOURNALS = 12;

export const KINDS = { instance: "instances", load_balancer: "load-balancers", firewall: "firewalls", snapshot: "snapshots" };

/** Read the list of the sandboxes. */
export const loadSandboxes = () =>
  ask(() => get("/sandboxes"), ({ data }, answer) => {
    if (!answer.brings("sandboxes")) return;
    const before = state.sandboxes;
    state.sandboxes = answer.listed(data, before, "sandboxes");
    for (const id of answer.newerParts("requests")) countOf(state.sandboxes.get(id), before.get(id)?.requests ?? 0);
    changed("frame", "world", "story", "clock");
  });

/** Note that a sandbox has had so many requests, if it is in the list. */
export function countRequests(id, number) {
  heard("requests", id);
  countOf(state.sandboxes.get(id), number);
}

function countOf(item, number) {
  if (!item) return;
  item.requests = Math.max(item.requests, number);
  item.idle_seconds = 0;
}

/** Read what stays the same for as long as a server runs. */
export const loadVocabulary = () =>
  ask(
    () => Promise.all(["/calls", "/operations", "/faults", "/scenarios"].map((path) => get(path))),
    ([calls, operations, faults, gallery], answer) => {
      if (!answer.brings("vocabulary")) return;
      state.demo = calls.data.some(({ path }) => path === "/_mock/demo");
      state.vocabulary = { operations: operations.data, faults: faults.data };
      state.gallery = gallery.data;
      changed("frame", "requests", "story");
    },
  );

/** Read everything about what is chosen. `stale` says whether something else has been chosen meanwhile. */
export async function loadAll(stale) {
  await loadSandboxes();
  if (stale()) return;
  await loadJournals(stale);
  if (stale()) return;
  await loadSandbox();
  if (stale()) return;
  state.loaded = true;
  changed("frame", "requests", "world", "story", "clock");
}

async function loadJournals(stale) {
  const { selected } = state;
  const used = [...state.sandboxes.values()].filter((item) => item.requests > 0);
  used.sort((a, b) => a.idle_seconds - b.idle_seconds);
  const wanted = selected ? [selected] : [null, ...used.slice(0, JOURNALS).map((item) => item.id)];
  const limit = selected ? FIRST_LOOK : Math.ceil(FIRST_LOOK / wanted.length);
  await Promise.all(wanted.map((id) => loadJournal(id, limit, stale)));
  state.log.sort();
  changed("requests");
}

const loadJournal = (id, limit, stale) =>
  ask(() => unlessGone(get(`/requests?limit=${limit}`, id)), (found, answer) => {
    if (!found || stale() || !answer.brings(id, "journal")) return;
    found.data.forEach((entry) => addRequest(id, entry));
  });

/** An answer, or null: a sandbox that was removed a moment ago has none. */
async function unlessGone(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Take a request into the list, and into the chart when it is complete. */
export function addRequest(sandbox, entry) {
  const [item, first] = state.log.add(sandbox, entry);
  if (first) state.series.add(item);
}

/** Return a function that reads these paths of the one sandbox that is shown, if it is one. `found` makes of the answers
 * what the state has by these names. */
const reader = (paths, found) => async () => {
  const id = theSandbox();
  if (!id) return;
  const read = () => unlessGone(Promise.all(paths.map((path) => get(path, id))));
  await ask(read, (answers, answer) => {
    if (!answers || theSandbox() !== id) return;
    for (const [name, value] of Object.entries(found(answers, answer, id))) {
      if (answer.brings(id, name)) state[name] = value;
    }
    changed("frame", "world", "story", "clock");
  });
};

const STORY = ["/scenario", "/story", "/rules"];

function storyOf([scenario, story, rules], answer, id) {
  const current = new Map(state.rules.map((rule) => [rule.id, rule]));
  return { scenario, story, rules: [...answer.listed(rules.data, current, id, "rules").values()] };
}

/** With the moment at which it was right: its window counts down from there. */
const usageOf = ([usage]) => ({ usage: { ...usage, taken: performance.now() } });

const clockIn = ([clock]) => ({ clock: clockOf(clock) });

const provisioningOf = ([{ data }], answer, id) => ({
  provisioning: answer.listed(data, state.provisioning, id, "provisioning"),
});

const accountOf = ([account]) => ({ account });

const readResources = Object.entries(KINDS).map(([kind, name]) => async () => {
  const id = theSandbox();
  if (!id) return;
  await ask(() => unlessGone(get(`/${name}`, id)), (found, answer) => {
    if (!found || theSandbox() !== id || !answer.brings(id, kind)) return;
    state.resources[kind] = answer.listed(found.data, state.resources[kind], id, kind);
    changed("world");
  });
});

const readStory = reader(STORY, storyOf);
const readUsage = reader(["/usage"], usageOf);
const readClock = reader(["/clock"], clockIn);
const readProvisioning = reader(["/provisioning"], provisioningOf);
const readers = [readStory, readUsage, readClock, readProvisioning, reader(["/account"], accountOf), ...readResources];

/** Read clock, account, scenario, rules and resources of the one sandbox that is shown, if it is one. */
export const loadSandbox = () => Promise.all(readers.map((read) => read()));

/** Read scenario, phases and rules again. */
export const loadStory = soon(readStory);

/** Read what the account costs, and its rate window. */
export const loadUsage = soon(readUsage);

/** Read the clock. */
export const loadClock = soon(readClock);

/** Read what is not ready yet. */
export const loadProvisioning = soon(readProvisioning);

/** Read the list of the sandboxes again, because one is not in it, or because one has more in it than before. */
export const loadList = soon(async () => {
  const alone = theSandbox();
  await loadSandboxes();
  if (theSandbox() === alone) return;
  clearWorld();
  await loadSandbox();
}, 2000);

/** Return a function that reads something when it is asked to: after so many milliseconds, or sooner if it says so.
 * Meanwhile it can be asked again and again. A long read pauses for ten times as long. */
function soon(read, pace = 500) {
  let timer = 0;
  let due = Infinity;
  let rested = 0;
  return (delay = pace) => {
    const at = Math.max(performance.now() + delay, delay && rested);
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(async () => {
      due = Infinity;
      const began = performance.now();
      await read().catch(() => {}); // the server is gone: the stream notices it, and everything is read again
      rested = 11 * performance.now() - 10 * began;
    }, at - performance.now());
  };
}
