// fetch with a deadline.
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}` };
const signal = AbortSignal.timeout(1000);
await (await fetch(`${process.env.CLOUDNEXUS_BASE_URL}/v1/plans`, { headers, signal })).text();
