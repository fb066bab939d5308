// Calls of the control plane. The page knows no key: it names a sandbox by its id.

import { visible } from "./format.js";

export const SANDBOX_HEADER = "X-CNX-Mock-Sandbox";

/** A refusal of the control plane, or a server that does not answer (status 0). */
export class ApiError extends Error {
  constructor(status, message, code = "") {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Call the control plane and return the answer's JSON. Throws ApiError with one sentence. */
export async function call(method, path, { body, sandbox, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (sandbox) headers[SANDBOX_HEADER] = sandbox;
  if (method !== "GET") headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/_mock${path}`, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer.");
  }
  const text = await answer.text();
  const data = parsed(text);
  if (!answer.ok) throw refusal(answer.status, data);
  return data;
}

export const get = (path, sandbox, signal) => call("GET", path, { sandbox, signal });

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(status, data) {
  const error = data?.error;
  if (!error) return new ApiError(status, `The server answered with status ${status}.`);
  const details = Object.entries(error.details ?? {}).map(([name, value]) => `${name} ${words(value)}`);
  return new ApiError(status, visible([error.message, ...details].join(" ")), error.code);
}

const words = (value) => (typeof value === "string" ? value : JSON.stringify(value));
