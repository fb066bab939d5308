// Six tasks that share a pool of connections, and take any that is free.
import http from "node:http";

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export async function run(url, key) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });
  const headers = { Authorization: `Bearer ${key}` };

  const once = (path) =>
    new Promise((resolve) => {
      const request = http.get(url + path, { agent, headers }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer));
        answer.on("error", () => resolve(null));
      });
      request.on("error", () => resolve(null));
    });

  async function get(path) {
    for (let attempt = 0; attempt < 6; attempt++) {
      const answer = await once(path);
      if (answer?.statusCode === 200) return;
      const asked = Number(answer?.headers["retry-after"] ?? 0);
      await pause(Math.max(asked, (0.5 + Math.random() / 2) * 0.2 * 2 ** attempt));
    }
    throw new Error(`${path} does not work`);
  }

  async function task() {
    for (const path of ["/v1/regions", "/v1/plans", "/v1/plans"]) await get(path);
  }

  await Promise.allSettled(Array.from({ length: 6 }, task));
  agent.destroy();
}
