// Requests, errors and latency by the second, for the chart: the last ten minutes.

const SECONDS = 600;
/** How many latencies of one second are kept: enough for a p95 of a busy second. */
const SAMPLES = 200;

export class Series {
  constructor() {
    this.buckets = new Map();
  }

  add(item) {
    const second = Math.floor(item.wall / 1000);
    let bucket = this.buckets.get(second);
    if (!bucket) {
      bucket = { requests: 0, errors: 0, times: [] };
      this.buckets.set(second, bucket);
      this.trim(second);
    }
    bucket.requests += 1;
    if (item.status === null || item.status >= 400) bucket.errors += 1;
    if (item.ms !== null && bucket.times.length < SAMPLES) bucket.times.push(item.ms);
  }

  trim(newest) {
    if (this.buckets.size <= SECONDS) return;
    for (const second of this.buckets.keys()) if (second < newest - SECONDS) this.buckets.delete(second);
  }

  /** Columns for the last `minutes`, one value for `step` seconds: times, requests and errors a second, p50 and p95. */
  columns(minutes, now = Date.now()) {
    const step = minutes <= 2 ? 1 : minutes <= 5 ? 2 : 5;
    const last = Math.floor(now / 1000 / step) * step;
    const columns = [[], [], [], [], []];
    for (let from = last - minutes * 60; from < last; from += step) {
      const { requests, errors, times } = this.sum(from, from + step);
      times.sort((a, b) => a - b);
      columns[0].push(from);
      columns[1].push(requests / step);
      columns[2].push(errors / step);
      columns[3].push(quantile(times, 0.5));
      columns[4].push(quantile(times, 0.95));
    }
    return columns;
  }

  sum(from, to) {
    const all = { requests: 0, errors: 0, times: [] };
    for (let second = from; second < to; second += 1) {
      const bucket = this.buckets.get(second);
      if (!bucket) continue;
      all.requests += bucket.requests;
      all.errors += bucket.errors;
      all.times.push(...bucket.times);
    }
    return all;
  }
}

function quantile(sorted, part) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] : null;
}
