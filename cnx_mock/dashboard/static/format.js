// How the page writes times, amounts and texts.

const two = (number) => String(number).padStart(2, "0");

/** The time of day of an instant in milliseconds, in the browser's zone: 14:03:07.120 */
export function timeOfDay(ms, fraction = true) {
  const date = new Date(ms);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return fraction ? `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}` : clock;
}

/** An instant in UTC, without the T: 2026-01-01 00:00:45 UTC */
export const utc = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** A time in its two largest units: 2 h 5 min, 45 s, 120 ms */
export function duration(ms) {
  if (ms < 1) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const first = UNITS.findIndex(([size]) => ms >= size);
  const [size, unit] = UNITS[first];
  const next = UNITS[first + 1];
  if (!next) return `${Math.round(ms / size)} ${unit}`;
  const rest = Math.floor((ms % size) / next[0]);
  return `${Math.floor(ms / size)} ${unit}${rest ? ` ${rest} ${next[1]}` : ""}`;
}

/** How long ago an instant was, as one looks at it. */
export function ago(ms, now = Date.now()) {
  const gone = now - ms;
  if (gone < 1000) return "just now";
  return gone < 10_000 ? `${Math.floor(gone / 1000)} s ago` : `${duration(gone)} ago`;
}

export const count = (number) => number.toLocaleString("en-US");

export const plural = (number, noun, several = `${noun}s`) => `${count(number)} ${number === 1 ? noun : several}`;

export const clip = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Text of a client with every character that does not print shown as a sign: a terminal escape stays text, and nothing
 * turns the direction of writing. */
export function visible(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, sign);
}

function sign(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "␡" : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A value of a scenario in one line, as its file would have it: {delay: 45s, then: stopped} */
export function flow(value) {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (value && typeof value === "object") {
    return `{${Object.entries(value)
      .map(([name, each]) => `${name}: ${flow(each)}`)
      .join(", ")}}`;
  }
  return visible(String(value));
}

/** The entries of a match or a fault in one line, without the outer braces. */
export const entries = (value) => flow(value ?? {}).slice(1, -1);
