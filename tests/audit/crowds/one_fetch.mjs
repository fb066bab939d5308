// One client after one call: its create is sent again after 300 ms each time, over any connection, without a look.
const base = process.env.CLOUDNEXUS_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`, "Content-Type": "application/json" };
await (await fetch(`${base}/v1/regions`, { headers })).json();
const body = JSON.stringify({ name: "web-1", plan: "starter", region: "us-east-1", image: "debian-12" });
for (let attempt = 0; attempt < 8; attempt++) {
  const answer = await fetch(`${base}/v1/instances`, { method: "POST", headers, body }).catch(() => null);
  if (answer?.ok) process.exit(0);
  await new Promise((resolve) => setTimeout(resolve, 300));
}
process.exit(1);
