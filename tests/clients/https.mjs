// node:https (and node:http for a base URL without TLS), the same three calls.
import http from "node:http";
import https from "node:https";

const base = process.env.CLOUDNEXUS_BASE_URL;
const headers = {
  Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`,
  "Content-Type": "application/json",
};

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = (base.startsWith("https:") ? https : http).request(
      base + path,
      { method, headers },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode, text }));
      },
    );
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

const created = await call("POST", "/v1/instances", {
  name: "web-1",
  plan: "pro",
  region: "us-east-1",
  image: "ubuntu-22.04-lts",
});
const read = await call("GET", `/v1/instances/${JSON.parse(created.text).id}`);
const missing = await call("GET", "/v1/instances/inst_0000000000000000");
console.log(created.status, read.status, missing.status);
