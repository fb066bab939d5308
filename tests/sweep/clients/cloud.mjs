// What the clients for Node share. `fetch` is slower to start: a sweep starts each of them many times.
import http from "node:http";

const base = process.env.CLOUDNEXUS_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.CLOUDNEXUS_API_KEY}`, "Content-Type": "application/json" };

export const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const request = http.request(base + path, { method, headers }, async (answer) => {
      let text = "";
      try {
        for await (const part of answer) text += part;
        resolve({ status: answer.statusCode, text });
      } catch (error) {
        reject(error);
      }
    });
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });

// The same, of which the answer's document is wanted: another status than 2xx is an error.
export async function wanted(method, path, body) {
  const { status, text } = await call(method, path, body);
  if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status}`);
  return text && JSON.parse(text);
}
