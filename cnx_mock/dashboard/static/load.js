// Reads what the page shows, when it opens, when another sandbox is chosen, and after a restart of the server.

import { get } from "./api.js";
import { clockOf } from "./sandbox_clock.js";
import { changed, clear, state, theSandbox } from "./store.js";

/** How many requests are read when the page opens; the stream brings the rest. */
const FIRST_LOOK = 500;
/** Of all sandboxes, the journals of so many are read: those that were used last. */
const JOURNALS = 12;

export const KINDS = { instance: "instances", load_balancer: "load-balancers", firewall: "firewalls", snapshot: "snapshots" };

/** Read the list of the sandboxes. */
export async function loadSandboxes() {
  const { data } = await get("/sandboxes");
  state.sandboxes = new Map(data.map((item) => [item.id, item]));
  changed("frame", "world", "story", "clock");
}

/** Read what stays the same for as long as a server runs. */
export async function loadVocabulary() {
  const [calls, operations, faults, gallery] = await Promise.all(
    ["/calls", "/operations", "/faults", "/scenarios"].map((path) => get(path)),
  );
  state.demo = calls.data.some(({ path }) => path === "/_mock/demo");
  state.vocabulary = { operations: operations.data, faults: faults.data };
  state.gallery = gallery.data;
  changed("frame", "requests", "story");
}

/** Read everything about what is chosen. `stale` says whether something else has been chosen meanwhile. */
export async function loadAll(stale = () => false) {
  await loadSandboxes();
  if (stale()) return;
  clear();
  await loadJournals(stale);
  if (!stale()) await loadSandbox(stale);
  state.loaded = true;
  changed("frame", "requests", "world", "story", "clock");
}

async function loadJournals(stale) {
  const { selected } = state;
  const used = [...state.sandboxes.values()].filter((item) => item.requests > 0);
  used.sort((a, b) => a.idle_seconds - b.idle_seconds);
  const wanted = selected ? [selected] : [null, ...used.slice(0, JOURNALS).map((item) => item.id)];
  const limit = selected ? FIRST_LOOK : Math.ceil(FIRST_LOOK / wanted.length);
  const answers = await Promise.all(wanted.map((id) => get(`/requests?limit=${limit}`, id).catch(gone)));
  if (stale()) return;
  wanted.forEach((id, place) => answers[place].data.forEach((entry) => addRequest(id, entry)));
  state.log.sort();
  changed("requests");
}

/** A sandbox that was removed a moment ago has no journal. */
const gone = () => ({ data: [] });

/** Take a request into the list, and into the chart when it is complete. */
export function addRequest(sandbox, entry) {
  const [item, first] = state.log.add(sandbox, entry);
  if (first) state.series.add(item);
}

/** Read clock, account, scenario, rules and resources of the one sandbox that is shown, if it is one. */
export async function loadSandbox(stale = () => false) {
  const id = theSandbox();
  if (!id) return;
  const paths = ["/clock", "/account", "/usage", "/scenario", "/story", "/rules", "/provisioning"];
  const kinds = Object.entries(KINDS);
  const answers = await Promise.all([...paths, ...kinds.map(([, name]) => `/${name}`)].map((path) => get(path, id)));
  if (stale() || theSandbox() !== id) return;
  const [clock, account, usage, scenario, story, rules, provisioning, ...resources] = answers;
  Object.assign(state, { clock: clockOf(clock), account, usage: timed(usage), scenario, story, rules: rules.data });
  state.provisioning = new Map(provisioning.data.map((item) => [item.id, item]));
  kinds.forEach(([kind], place) => {
    state.resources[kind] = new Map(resources[place].data.map((item) => [item.id, item]));
  });
  changed("frame", "world", "story", "clock");
}

/** Read scenario, phases and rules again. */
export const loadStory = once(async (id) => {
  const [scenario, story, rules] = await Promise.all(["/scenario", "/story", "/rules"].map((path) => get(path, id)));
  return { scenario, story, rules: rules.data };
});

/** Read what the account costs, and its rate window. */
export const loadUsage = once(async (id) => ({ usage: timed(await get("/usage", id)) }));

/** With the moment at which it was right: its window counts down from there. */
const timed = (usage) => ({ ...usage, taken: performance.now() });

/** Read the clock. */
export const loadClock = once(async (id) => ({ clock: clockOf(await get("/clock", id)) }));

/** Read what is not ready yet. */
export const loadProvisioning = once(async (id) => {
  const { data } = await get("/provisioning", id);
  return { provisioning: new Map(data.map((item) => [item.id, item])) };
});

/** A read that is asked for often and done at most every half second; the last time it is asked for counts. */
function once(read) {
  let timer = 0;
  return (delay = 500) => {
    timer ||= setTimeout(async () => {
      timer = 0;
      const id = theSandbox();
      if (!id) return;
      try {
        const found = await read(id);
        if (theSandbox() !== id) return;
        Object.assign(state, found);
        changed("frame", "world", "story", "clock");
      } catch {
        // The server is gone, or the sandbox: the stream notices it, and everything is read again.
      }
    }, delay);
  };
}
