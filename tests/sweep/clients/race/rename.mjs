// DEFECT raced: moves a name in two steps, and takes every firewall with the old name for its own.
const base = process.env.CLOUDNEXUS_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`, "Content-Type": "application/json" };

async function call(method, path, body) {
  const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

const all = (await call("GET", "/v1/network/firewall")).data;
if (!all.some((each) => each.name === "web-new")) {
  await call("POST", "/v1/network/firewall", { name: "web-new", rules: [] });
  for (const old of all.filter((each) => each.name === "web")) await call("DELETE", `/v1/network/firewall/${old.id}`);
}
