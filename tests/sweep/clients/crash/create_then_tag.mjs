// DEFECT leaked: takes a name for the time being, and gives the right one in a second step.
import { randomBytes } from "node:crypto";

const base = process.env.CLOUDNEXUS_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`, "Content-Type": "application/json" };

async function call(method, path, body) {
  const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

const found = await call("GET", "/v1/network/firewall");
if (!found.data.some((each) => each.name === "web")) {
  const made = await call("POST", "/v1/network/firewall", { name: `tmp-${randomBytes(4).toString("hex")}`, rules: [] });
  await call("PUT", `/v1/network/firewall/${made.id}`, { name: "web", rules: [] });
}
