// The stream of events, and what happens when it breaks: the page waits for the server, says so, and reads all anew.

import { get } from "./api.js";
import { addRequest, loadAll, loadProvisioning, loadSandbox, loadSandboxes, loadStory, loadUsage, loadVocabulary } from "./load.js";
import { go, route } from "./router.js";
import { clockOf } from "./sandbox_clock.js";
import { changed, notify, state, theSandbox } from "./store.js";
import { plural, timeOfDay } from "./format.js";

const RETRY = 1000;
/** After how long a page that nobody sees gives its connection back, in milliseconds: a browser has six for a server. */
const UNSEEN = 60_000;
/** After events were lost, everything is read again when so many milliseconds had few requests. */
const QUIET = 3000;
const FEW = 300;

let source = null;
let generation = 0;
let lastId = "";
let openedAt = 0;

/** Show a sandbox, or all with null: read it, and follow its events. */
export async function show(selected) {
  const mine = ++generation;
  state.selected = selected;
  lastId = "";
  missed = 0;
  await follow(() => mine !== generation);
}

/** Open the stream first and read then, so that nothing that happens between the two is missed. */
async function follow(stale) {
  source?.close();
  try {
    await loadSandboxes();
    if (stale()) return;
    if (state.selected && !state.sandboxes.has(state.selected)) {
      notify("This sandbox does not exist any more: its server was restarted, or it was removed. All sandboxes are shown.");
      go({ sandbox: "" }, true);
      return;
    }
    open(stale);
    await loadAll(stale);
  } catch (error) {
    if (!stale()) broken(stale, error);
  }
}

function open(stale) {
  const query = new URLSearchParams();
  if (state.selected) query.set("sandbox", state.selected);
  if (lastId) query.set("last-event-id", lastId);
  source = new EventSource(`/_mock/events?${query}`);
  const mine = source;
  mine.onopen = () => {
    openedAt = Date.now();
    connection("live");
  };
  mine.onerror = () => {
    mine.close();
    if (mine === source && !stale()) broken(stale);
  };
  for (const [kind, take] of Object.entries(KINDS_OF_EVENTS)) {
    mine.addEventListener(kind, (event) => {
      if (mine !== source) return;
      lastId = event.lastEventId || lastId;
      take(JSON.parse(event.data));
    });
  }
}

let unseen = 0;

/** Close the stream of a page that nobody sees; open it again, from where it was, when somebody looks. */
document.addEventListener("visibilitychange", () => {
  clearTimeout(unseen);
  if (document.hidden) {
    unseen = setTimeout(() => {
      source?.close();
      source = null;
    }, UNSEEN);
  } else if (!source) {
    seenAgain();
  }
});

function seenAgain() {
  if (!lastId) {
    show(state.selected);
    return;
  }
  const mine = generation;
  const stale = () => mine !== generation;
  open(stale);
  loadSandboxes()
    .then(() => loadSandbox(stale))
    .catch(() => {}); // the stream notices that the server is gone
}

function connection(now) {
  if (state.connection === now) return;
  state.connection = now;
  changed("frame");
}

/** Ask until the server answers again, then follow it anew. A stream that ends beside a living server is opened again. */
async function broken(stale) {
  connection("down");
  let health = null;
  while (!health) {
    await new Promise((resolve) => setTimeout(resolve, RETRY));
    if (stale()) return;
    health = await get("/health").catch(() => null);
  }
  await loadVocabulary().catch(() => {});
  await loadSandboxes().catch(() => {});
  if (stale()) return;
  const isNew = Date.now() - openedAt > (health.uptime_seconds + 1) * 1000;
  if (isNew && openedAt) restarted();
  if (state.selected && !state.sandboxes.has(state.selected)) go({ sandbox: "" }, true);
  else if (isNew || !lastId) show(state.selected);
  else open(stale);
}

function restarted() {
  notify(`The server was started again at ${timeOfDay(Date.now(), false)}. Its old data is gone, and the list starts empty.`);
}

const shown = (id) => id !== null && id === theSandbox();

const KINDS_OF_EVENTS = {
  request({ sandbox, request }) {
    requests += 1;
    addRequest(sandbox, request);
    countRequest(sandbox, request);
    if (shown(sandbox)) {
      loadUsage();
      if (route().view === "story") loadStory(); // counts of requests and of matches
    }
    changed("requests", "frame");
  },
  fired({ sandbox, rule }) {
    if (shown(sandbox)) putRule(rule);
  },
  phase({ sandbox, scenario }) {
    if (scenario.phase) boundary(sandbox, scenario.phase.name);
    if (!shown(sandbox)) return;
    state.scenario = scenario;
    loadStory(100);
    changed("story", "frame", "clock");
  },
  clock({ sandbox, clock }) {
    if (!shown(sandbox)) return;
    state.clock = clockOf(clock);
    loadStory();
    loadUsage();
    loadProvisioning();
    changed("clock", "world", "story", "frame");
  },
  account({ sandbox, account }) {
    if (!shown(sandbox)) return;
    state.account = account;
    loadUsage();
    changed("world", "frame");
  },
  resource({ sandbox, kind, id, resource }) {
    if (!shown(sandbox)) return;
    if (resource) state.resources[kind].set(id, resource);
    else state.resources[kind].delete(id);
    if (resource && ["provisioning", "creating"].includes(resource.status)) loadProvisioning();
    else state.provisioning.delete(id);
    loadUsage();
    changed("world", "frame");
  },
  reset({ sandbox, item }) {
    const alone = theSandbox();
    const known = state.sandboxes.has(sandbox);
    if (item) state.sandboxes.set(sandbox, item);
    else state.sandboxes.delete(sandbox);
    changed("frame", "world", "story", "clock");
    if (!item && state.selected === sandbox) {
      state.selected = null;
      notify("This sandbox was removed. All sandboxes are shown.");
      go({ sandbox: "" }, true);
    } else if ((known && [null, sandbox].includes(state.selected)) || theSandbox() !== alone) {
      readAgain();
    }
  },
  lost({ count, reason }) {
    if (reason === "restarted") {
      restarted();
      show(state.selected);
    } else {
      missed += count ?? 0;
      notify(lostWords(reason));
      catchUp();
    }
  },
};

let missed = 0;

function lostWords(reason) {
  if (reason === "behind") {
    return `${plural(missed, "event")} came faster than this page is told of them, and are not shown. The journal has them.`;
  }
  return "Some events are missing: the journal no longer has them.";
}

let again = 0;
let requests = 0;

/** Read everything, soon: what makes it necessary often comes several times, and then the last time counts. */
function readAgain() {
  const mine = generation;
  const stale = () => mine !== generation;
  clearTimeout(again);
  again = setTimeout(() => {
    if (!stale()) loadAll(stale).catch(() => {});
  }, 150);
}

/** Read everything when the server is no longer very busy: until then it is not asked at all. */
function catchUp() {
  const before = requests;
  clearTimeout(again);
  again = setTimeout(() => (requests - before > FEW ? catchUp() : readAgain()), QUIET);
}

/** A request can be the first sign of a new sandbox. */
function countRequest(sandbox, request) {
  if (sandbox === null) return;
  const item = state.sandboxes.get(sandbox);
  if (item) {
    item.requests = Math.max(item.requests, request.seq);
    item.idle_seconds = 0;
    return;
  }
  const alone = theSandbox();
  loadSandboxes()
    .then(() => theSandbox() !== alone && loadSandbox())
    .catch(() => {});
}

function putRule(rule) {
  const place = state.rules.findIndex((each) => each.id === rule.id);
  if (place >= 0) state.rules[place] = rule;
  else loadStory();
  changed("story");
}

function boundary(sandbox, name) {
  if (state.selected && state.selected !== sandbox) return;
  state.boundaries = [...state.boundaries.slice(-49), { at: Date.now() / 1000, name }];
}

