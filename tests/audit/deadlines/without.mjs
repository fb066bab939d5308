// fetch without a signal.
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}` };
await (await fetch(`${process.env.CLOUDNEXUS_BASE_URL}/v1/plans`, { headers })).text();
