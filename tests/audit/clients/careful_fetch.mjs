// CAREFUL. Node's fetch: a time limit on every call, growing random waits, a look by name before it creates again.

const base = 1000 * Number(process.env.BASE ?? "0.5");
const BODY = { name: "edge-1", plan: "starter", region: "eu-west-1", image: "debian-12" };
const PASSING = [408, 425, 429, 500, 502, 503, 504];
const TRIES = 6;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const pause = (number, told) => sleep(Math.max(told, base * 2 ** number * (0.5 + Math.random() / 2)));
const passes = (status) => status === null || PASSING.includes(status);

export async function run(url, key) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };

  // One attempt: its status (null where no answer came, or none that can be read), what it shows, how long to wait.
  async function attempt(method, path, body) {
    try {
      const signal = AbortSignal.timeout(Math.max(500, 20 * base));
      const answer = await fetch(url + path, { method, headers, signal, body: body && JSON.stringify(body) });
      const text = await answer.text();
      const told = 1000 * Number(answer.headers.get("retry-after") ?? 0);
      return { status: answer.status, told, shown: text && answer.ok ? JSON.parse(text) : text };
    } catch {
      return { status: null, told: 0 };
    }
  }

  async function insist(method, path) {
    for (let number = 0; number < TRIES; number++) {
      const { status, told, shown } = await attempt(method, path);
      if (!passes(status)) return { status, shown };
      if (number < TRIES - 1) await pause(number, told);
    }
    throw new Error(`${method} ${path} does not work`);
  }

  async function find(name) {
    for (let page = 1, pages = 1; page <= pages; page++) {
      const { status, shown } = await insist("GET", `/v1/instances?limit=100&page=${page}`);
      if (status !== 200) throw new Error(shown);
      const found = shown.data.find((each) => each.name === name);
      if (found) return found;
      pages = shown.pagination.total_pages;
    }
  }

  async function create() {
    for (let number = 0; number < TRIES; number++) {
      const { status, told, shown } = await attempt("POST", "/v1/instances", BODY);
      if (status === 201) return shown;
      if (!passes(status)) throw new Error(shown);
      await pause(number, told);
      const made = status === 429 ? null : await find(BODY.name); // it may have happened
      if (made) return made;
    }
    throw new Error("the instance cannot be created");
  }

  const made = await create();
  try {
    for (let polls = 0; polls < 20; polls++) {
      const { shown } = await insist("GET", `/v1/instances/${made.id}`);
      if (shown.status !== "provisioning") break;
      await sleep(3 * base);
    }
  } finally {
    await insist("DELETE", `/v1/instances/${made.id}`); // a 404 is what was wanted
  }
}
