// One client after one call: its create is sent again after 400 ms each time, over any connection, without a look.
export async function run(url, key) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  await (await fetch(`${url}/v1/regions`, { headers })).json();
  const body = JSON.stringify({ name: "web-1", plan: "starter", region: "us-east-1", image: "debian-12" });
  for (let attempt = 0; attempt < 8; attempt++) {
    const answer = await fetch(`${url}/v1/instances`, { method: "POST", headers, body }).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}
