// Runs one client with several keys at once, in one process: together.mjs CLIENT KEY…
import { pathToFileURL } from "node:url";

const [path, ...keys] = process.argv.slice(2);
const client = await import(pathToFileURL(path));
await Promise.allSettled(keys.map((key) => client.run(process.env.CLOUDNEXUS_BASE_URL, key)));
