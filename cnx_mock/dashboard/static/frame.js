// The head of the page: the views, the chooser of sandboxes, the connection and the colours.

import { html, useState } from "./lib.js";
import { count, clip } from "./format.js";
import { href, go } from "./router.js";
import { sandboxLabel, useStore } from "./store.js";

const NAMES = { requests: "Requests", world: "World", story: "Story", time: "Time", audit: "Audit", demo: "Demo" };
const ICONS = {
  requests: "M2 4h12M2 8h12M2 12h8",
  world: "M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.01M4.5 11h.01",
  story: "M3 2v12M3 3h8l-2 2.5L11 8H3",
  time: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.5V8l2.5 1.5",
  audit: "M3 8.5 6.5 12 13 4.5",
  demo: "M4 2.5v11l9-5.5z",
};
const CONNECTION = { live: "live", connecting: "connecting …", down: "no connection" };
const THEMES = { system: "light", light: "dark", dark: "system" };
/** Most sandboxes in the chooser; a suite of tests makes thousands. */
const MOST = 200;

export function Header({ view, onHelp }) {
  const { connection, demo } = useStore("frame");
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the view</a>
    <header class="top">
      <a class="brand" href=${href({ view: "requests" })} aria-label="cnx-mock, requests">
        <img src="/_mock/ui/favicon.svg" width="22" height="22" alt="" /><b>cnx-mock</b>
      </a>
      <nav class="tabs" aria-label="Views">
        ${Object.keys(NAMES).filter((name) => name !== "demo" || demo).map((name) => html`<a
          href=${href({ view: name })} aria-current=${name === view ? "page" : undefined}><${Icon} path=${ICONS[name]} /><span>${NAMES[name]}</span></a>`)}
      </nav>
      <div class="tools">
        <${Chooser} />
        <span class="connection ${connection}" role="status" title=${CONNECTION[connection]}><i aria-hidden="true"></i><span>${CONNECTION[connection]}</span></span>
        <${ThemeSwitch} />
        <button type="button" class="icon-button" aria-label="Keys" title="Keys  ?" onClick=${onHelp}>?</button>
      </div>
    </header>`;
}

function skip(event) {
  event.preventDefault();
  const main = document.getElementById("main");
  main.tabIndex = -1;
  main.focus();
}

const Icon = ({ path }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${path} /></svg>`;

function Chooser() {
  const { sandboxes, selected } = useStore("frame");
  const items = [...sandboxes.values()].sort((a, b) => a.idle_seconds - b.idle_seconds).slice(0, MOST);
  if (selected && sandboxes.has(selected) && !items.some(({ id }) => id === selected)) items.unshift(sandboxes.get(selected));
  return html`<select class="chooser" aria-label="Sandbox" value=${selected ?? ""} onChange=${(event) => go({ sandbox: event.target.value })}>
    <option value="" selected=${!selected}>All sandboxes (${count(sandboxes.size)})</option>
    ${items.map(({ id }) => html`<option key=${id} value=${id} selected=${id === selected}>${clip(sandboxLabel(id), 40)}</option>`)}
  </select>`;
}

function ThemeSwitch() {
  const { cnxTheme } = globalThis;
  const [theme, setTheme] = useState(cnxTheme.chosen());
  const change = () => {
    cnxTheme.choose(THEMES[theme]);
    setTheme(THEMES[theme]);
  };
  const sign = { system: "◐", light: "☀", dark: "☾" }[theme];
  return html`<button type="button" class="icon-button theme" aria-label="Colours: ${theme}" title="Colours: ${theme}" onClick=${change}>${sign}</button>`;
}
