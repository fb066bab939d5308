// Compiled, strictly, against types that a generator made from the document; then run against the live server.
// The lines under "@ts-expect-error" prove that the types say something: each has to be refused.

import type { components, paths } from "./api.js";

declare const process: { env: Record<string, string | undefined> };

type Instance = components["schemas"]["Instance"];
type Content<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;
type Answers<Operation> = Operation extends { responses: infer All } ? All : never;
type Success<Operation> = Content<Answers<Operation>[keyof Answers<Operation> & (200 | 201)]>;
type Failure<Operation> = Content<Answers<Operation>[keyof Answers<Operation> & (400 | 404)]>;
type Body<Operation> = Operation extends { requestBody: infer Given } ? Content<Given> : undefined;
type Query<Operation> = Operation extends { parameters: { query?: infer Given } } ? Given : undefined;

type List = paths["/v1/instances"]["get"];
type Create = paths["/v1/instances"]["post"];
type Get = paths["/v1/instances/{id}"]["get"];
type Delete = paths["/v1/instances/{id}"]["delete"];

async function call<Operation>(method: string, path: string, body?: Body<Operation>): Promise<Success<Operation>> {
  const response = await fetch(process.env["CLOUDNEXUS_BASE_URL"] + path, {
    method,
    headers: { Authorization: `Bearer ${process.env["CLOUDNEXUS_API_KEY"]}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer as Success<Operation>;
  const { code, details } = (answer as Failure<Operation> & components["schemas"]["ApiError"]).error;
  throw new Error(`${response.status} ${code} ${JSON.stringify(details)}`);
}

function listed(query: NonNullable<Query<List>>): string {
  return "/v1/instances?" + new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

function same(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  }
}

const wanted: Body<Create> = { name: "web", plan: "pro", region: "us-east-1", image: "debian-12", tags: ["web"] };
const made: Instance[] = [];
for (const name of ["web-0", "web-1", "web-2"]) {
  made.push(await call<Create>("POST", "/v1/instances", { ...wanted, name }));
}
const ids = made.map((each) => each.id);
same(made[0]!.status, "provisioning");
same(made[0]!.ipv4, null);

const first = await call<List>("GET", listed({ page: 1, limit: 2, tags: ["web"] }));
const second = await call<List>("GET", listed({ page: 2, limit: 2, status: "provisioning" }));
same([...first.data, ...second.data].map((each) => each.id), ids);
same(first.pagination.total_pages, 2);

const detail = await call<Get>("GET", `/v1/instances/${ids[0]}`);
same([detail.specs.vcpus, detail.storage.size_gb, detail.metrics?.cpu.utilization_percent], [4, 160, undefined]);

const gone = await call<Delete>("DELETE", `/v1/instances/${ids[0]}`);
same([gone.id, gone.deleted], [ids[0], true]);
const refusal = await call<Get>("GET", `/v1/instances/${ids[0]}`).catch((error: Error) => error.message);
same(refusal, `404 NOT_FOUND {"resource":"instance","id":"${ids[0]}"}`);
same((await call<List>("GET", listed({}))).pagination.total, 2);

export function refusedByTheCompiler(): void {
  // @ts-expect-error: there is no such plan
  void call<Create>("POST", "/v1/instances", { name: "x", plan: "large", region: "us-east-1", image: "debian-12" });
  // @ts-expect-error: the image is missing
  void call<Create>("POST", "/v1/instances", { name: "x", plan: "pro", region: "us-east-1" });
  // @ts-expect-error: there is no such status
  void listed({ status: "stopping" });
  // @ts-expect-error: an address can be null
  void made[0]!.ipv4.length;
}

console.log(`created ${ids.length}, deleted ${gone.id}`);
