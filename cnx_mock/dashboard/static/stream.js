// The stream of events, and what happens when it breaks: the page waits for the server, says so, and reads all anew.

import { addRequest, countRequests, loadAll, loadList, loadProvisioning, loadSandbox, loadSandboxes, loadStory, loadUsage, loadVocabulary } from "./load.js";
import { heard } from "./newest.js";
import { go, route } from "./router.js";
import { clockOf } from "./sandbox_clock.js";
import { changed, clear, clearWorld, notify, state, theSandbox } from "./store.js";
import { plural, timeOfDay } from "./format.js";

const RETRY = 1000;
/** After how long a page that nobody sees gives its connection back, in milliseconds: a browser has six for a server. */
const UNSEEN = 60_000;
/** What makes it necessary to read everything often comes several times in so many milliseconds. */
const TOGETHER = 300;
/** After events were lost, everything is read again when so many milliseconds had few requests. */
const QUIET = 3000;
const FEW = 300;

let source = null;
/** Which attempt to follow the events this is. What an earlier one still waits for is stale. */
let attempt = 0;
/** The server whose events were followed last, as it says itself. */
let server = "";
let lastId = "";
/** Whether everything has been read, and the events since then were followed or can be: from `lastId` on. */
let isWhole = false;
/** How often it was necessary to read everything. */
let needs = 0;

const staleness = () => {
  const mine = attempt;
  return () => mine !== attempt;
};

/** Show a sandbox, or all with null: read it, and follow its events. */
export async function show(selected) {
  state.selected = selected;
  isWhole = false;
  missed = 0;
  clear();
  await follow();
}

/** Follow the events, and read what they do not tell. The stream is open before anything is read, so that nothing that
 * happens between the two is missed. */
async function follow() {
  attempt += 1;
  const stale = staleness();
  source?.close();
  try {
    await loadSandboxes();
    if (stale()) return;
    if (state.selected && !state.sandboxes.has(state.selected)) {
      notify("This sandbox does not exist any more: its server was restarted, or it was removed. All sandboxes are shown.");
      go({ sandbox: "" }, true);
      return;
    }
    const before = server;
    await opened(stale);
    if (before && before !== server) restarted();
    if (isWhole) await Promise.all([loadSandboxes(), loadSandbox()]);
    else await readAll(stale);
  } catch {
    if (!stale()) broken(stale);
  }
}

/** Open the stream, and wait until the server has said which one it is. Throws if it does not. */
function opened(stale) {
  const query = new URLSearchParams();
  if (state.selected) query.set("sandbox", state.selected);
  if (isWhole) query.set("last-event-id", lastId);
  const mine = new EventSource(`/_mock/events?${query}`);
  source = mine;
  return new Promise((resolve, reject) => {
    const takers = {
      server(told) {
        ({ server } = told);
        connection("live");
        resolve();
      },
      ...KINDS_OF_EVENTS,
    };
    mine.onerror = () => {
      mine.close();
      if (mine !== source) return;
      reject(new Error("The stream has ended."));
      if (!stale()) broken(stale);
    };
    for (const [kind, take] of Object.entries(takers)) {
      mine.addEventListener(kind, (event) => {
        if (mine !== source) return;
        lastId = event.lastEventId;
        take(JSON.parse(event.data));
      });
    }
  });
}

async function readAll(stale) {
  const mine = needs;
  await loadAll(stale);
  if (!stale() && mine === needs) isWhole = true;
}

let unseen = 0;

/** Close the stream of a page that nobody sees; open it again, from where it was, when somebody looks. */
document.addEventListener("visibilitychange", () => {
  clearTimeout(unseen);
  if (document.hidden) {
    unseen = setTimeout(() => {
      attempt += 1;
      source?.close();
      source = null;
    }, UNSEEN);
  } else if (!source) {
    follow();
  }
});

function connection(now) {
  if (state.connection === now) return;
  state.connection = now;
  changed("frame");
}

/** Say that the server is not there, and try again, until it is. A stream that ends beside a living server is opened again,
 * too. */
async function broken(stale) {
  connection("down");
  await new Promise((resolve) => setTimeout(resolve, RETRY));
  if (!stale()) follow();
}

/** Begin anew with another server. */
function restarted() {
  notify(`The server was started again at ${timeOfDay(Date.now(), false)}. Its old data is gone, and the list starts empty.`);
  isWhole = false;
  clear();
  loadVocabulary().catch(() => {});
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
    if (shown(sandbox)) putRule(sandbox, rule);
  },
  phase({ sandbox, scenario }) {
    if (scenario.phase) boundary(sandbox, scenario.phase.name);
    if (!theSandbox()) loadList(); // it counts the rules
    if (!shown(sandbox)) return;
    heard(sandbox, "scenario");
    state.scenario = scenario;
    loadStory(100);
    changed("story", "frame", "clock");
  },
  clock({ sandbox, clock }) {
    if (!shown(sandbox)) return;
    heard(sandbox, "clock");
    state.clock = clockOf(clock);
    loadStory();
    loadUsage();
    loadProvisioning();
    changed("clock", "world", "story", "frame");
  },
  account({ sandbox, account }) {
    if (!shown(sandbox)) return;
    heard(sandbox, "account");
    state.account = account;
    loadUsage();
    changed("world", "frame");
  },
  resource({ sandbox, kind, id, resource }) {
    if (!theSandbox() && kind === "instance") loadList(); // it counts them
    if (!shown(sandbox)) return;
    heard(sandbox, kind, id);
    if (resource) state.resources[kind].set(id, resource);
    else state.resources[kind].delete(id);
    if (resource && ["provisioning", "creating"].includes(resource.status)) {
      loadProvisioning();
    } else {
      heard(sandbox, "provisioning", id);
      state.provisioning.delete(id);
    }
    loadUsage();
    changed("world", "frame");
  },
  reset({ sandbox, item }) {
    const alone = theSandbox();
    const known = state.sandboxes.has(sandbox);
    heard(sandbox);
    state.log.forget(sandbox);
    changed("frame", "requests", "world", "story", "clock");
    if (sandbox === null) return; // the journal of the requests that reached no sandbox
    heard("sandboxes", sandbox);
    if (item) state.sandboxes.set(sandbox, item);
    else state.sandboxes.delete(sandbox);
    if (!item && state.selected === sandbox) {
      state.selected = null;
      notify("This sandbox was removed. All sandboxes are shown.");
      go({ sandbox: "" }, true);
      return;
    }
    if (alone === sandbox) clear();
    else if (theSandbox() !== alone) clearWorld();
    if ((known && [null, sandbox].includes(state.selected)) || theSandbox() !== alone) readAgain();
  },
  lost({ count, reason }) {
    if (reason === "restarted") return; // the server has said so itself
    missed += count ?? 0;
    notify(lostWords(reason));
    catchUp();
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
let quiet = 0;
let requests = 0;

/** Read everything, soon. */
function readAgain() {
  isWhole = false;
  needs += 1;
  again ||= setTimeout(() => {
    again = 0;
    const stale = staleness();
    readAll(stale).catch(() => stale() || catchUp());
  }, TOGETHER);
}

/** Read everything when the server is no longer very busy: until then it is not asked at all. */
function catchUp() {
  isWhole = false;
  const before = requests;
  clearTimeout(quiet);
  quiet = setTimeout(() => (requests - before > FEW ? catchUp() : readAgain()), QUIET);
}

/** A request can be the first sign of a new sandbox. */
function countRequest(sandbox, request) {
  if (sandbox === null) return;
  countRequests(sandbox, request.seq);
  if (!state.sandboxes.has(sandbox)) loadList(TOGETHER);
}

function putRule(sandbox, rule) {
  const place = state.rules.findIndex((each) => each.id === rule.id);
  if (place < 0) {
    loadStory();
    return;
  }
  heard(sandbox, "rules", rule.id);
  state.rules[place] = rule;
  changed("story");
}

function boundary(sandbox, name) {
  if (state.selected && state.selected !== sandbox) return;
  state.boundaries = [...state.boundaries.slice(-49), { at: Date.now() / 1000, name }];
}

