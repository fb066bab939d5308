// DEFECT raced: moves a name in two steps, and takes every firewall with the old name for its own.
import { call, wanted } from "../cloud.mjs";

const all = (await wanted("GET", "/v1/network/firewall")).data;
if (!all.some((each) => each.name === "web-new")) {
  await wanted("POST", "/v1/network/firewall", { name: "web-new", rules: [] });
  for (const old of all.filter((each) => each.name === "web")) {
    const { status } = await call("DELETE", `/v1/network/firewall/${old.id}`);
    if (status >= 400 && status !== 404) throw new Error(`status ${status}`);
  }
}
