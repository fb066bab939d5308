// fetch: make an instance, read it, ask for one that is not there; print the three statuses.
const url = `${process.env.CLOUDNEXUS_BASE_URL}/v1/instances`;
const headers = {
  Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`,
  "Content-Type": "application/json",
};
const body = JSON.stringify({
  name: "web-1",
  plan: "pro",
  region: "us-east-1",
  image: "ubuntu-22.04-lts",
});

const created = await fetch(url, { method: "POST", headers, body });
const { id } = await created.json();
const read = await fetch(`${url}/${id}`, { headers });
const missing = await fetch(`${url}/inst_0000000000000000`, { headers });
console.log(created.status, read.status, missing.status);
