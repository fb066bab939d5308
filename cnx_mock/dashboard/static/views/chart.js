// The chart of requests, errors and latency, with the phases' boundaries. uPlot draws it; here is what it draws.

import { html, useEffect, useRef } from "../lib.js";
import { duration, timeOfDay } from "../format.js";
import { state } from "../store.js";
import uPlot from "../vendor/uplot/uPlot.esm.js";

const EVERY = 1000;
const HEIGHT = 190;
/** A latency that stands alone is a dot: no line leads to it. */
const DOTS = { points: { show: true, size: 4 } };

export function Chart({ minutes }) {
  const box = useRef(null);
  useEffect(() => {
    const charts = [];
    const build = () => {
      charts.splice(0).forEach((chart) => chart.destroy());
      box.current.replaceChildren();
      charts.push(...[rates(), latencies()].map((options) => new uPlot(sized(options, box.current), [[]], box.current)));
      draw();
    };
    const draw = () => {
      const [times, requests, errors, p50, p95] = state.series.columns(minutes);
      const range = { min: times[0], max: times[times.length - 1] };
      [[times, requests, errors], [times, p50, p95]].forEach((data, place) => {
        charts[place].setData(data, false);
        charts[place].setScale("x", range);
      });
      box.current.setAttribute("aria-label", inWords(minutes));
    };
    build();
    const timer = setInterval(() => document.hidden || draw(), EVERY);
    const observer = new ResizeObserver(() => charts.forEach((chart) => chart.setSize({ width: box.current.clientWidth, height: HEIGHT })));
    observer.observe(box.current);
    addEventListener("cnx-theme", build);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      removeEventListener("cnx-theme", build);
      charts.forEach((chart) => chart.destroy());
    };
  }, [minutes, state.series]);
  return html`<div class="charts" ref=${box} role="img"></div>`;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const sized = (options, element) => ({ ...options, width: element.clientWidth || 600, height: HEIGHT });

function rates() {
  return chart("Requests and errors a second", [
    line("Requests/s", "accent", { fill: `${colour("accent")}22` }),
    line("Errors/s", "failed", { dash: [5, 3] }),
  ], (value) => (value === null ? "–" : value.toFixed(1)));
}

function latencies() {
  return chart("Latency", [line("p50", "accent", DOTS), line("p95", "refused", { dash: [5, 3], ...DOTS })], (value) => (value === null ? "–" : duration(value)));
}

function line(label, name, more = {}) {
  return { label, stroke: colour(name), width: 2, points: { show: false }, ...more };
}

function chart(title, series, words) {
  const axis = { stroke: colour("dim"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    title,
    padding: [null, 28, null, null], // half of the last time on the axis
    cursor: { sync: { key: "traffic" }, drag: { x: false, y: false } },
    scales: { x: { time: true, auto: false }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.15 : 1] } },
    series: [{ label: "Time", value: (_, at) => (at ? timeOfDay(at * 1000, false) : "–") }, ...series.map((each) => ({ ...each, value: (_, value) => words(value ?? null) }))],
    axes: [{ ...axis, size: 32, space: 90, values: (_, ticks) => ticks.map((tick) => timeOfDay(tick * 1000, false)) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => words(tick)) }],
    hooks: { draw: [boundaries] },
  };
}

/** A line for each phase that began, with its name. */
function boundaries(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour("cut");
  ctx.fillStyle = colour("cut");
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const { at, name } of state.boundaries) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(name, x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}

function inWords(minutes) {
  const now = Math.floor(Date.now() / 1000);
  const { requests, errors } = state.series.sum(now - minutes * 60, now + 1);
  const phases = state.boundaries.filter(({ at }) => at > now - minutes * 60).map(({ name }) => name);
  const story = phases.length ? ` Phases that began: ${phases.join(", ")}.` : "";
  return `Chart of the last ${minutes} minutes: ${requests} requests, ${errors} of them without success.${story}`;
}
