// The page as a whole: the frame around the views, the chooser, and the keys.

import { html, render, useEffect, useLayoutEffect, useState } from "./lib.js";
import { useKeys } from "./keys.js";
import { loadVocabulary } from "./load.js";
import { Header } from "./frame.js";
import { go, useRoute } from "./router.js";
import { dismiss, notify, state, theSandbox, useStore } from "./store.js";
import { show } from "./stream.js";
import { ArmDialog, closeArm, openArm } from "./views/arm.js";
import { Audit } from "./views/audit.js";
import { Help } from "./views/help.js";
import { Requests } from "./views/requests.js";
import { Story } from "./views/story.js";
import { Time } from "./views/time.js";
import { Vitals } from "./vitals.js";
import { World } from "./views/world.js";

const VIEWS = { requests: Requests, world: World, story: Story, time: Time, audit: Audit };
const ORDER = Object.keys(VIEWS);

function App() {
  const { view, sandbox } = useRoute();
  const [help, setHelp] = useState(false);
  useEffect(() => {
    loadVocabulary().catch(() => {});
  }, []);
  useLayoutEffect(() => {
    setHelp(false); // Back goes away from a dialog, and not only behind it
    closeArm();
  }, [view, sandbox]);
  useLayoutEffect(() => {
    show(sandbox); // before any further key or click: what they do, they do to the sandbox in the address
  }, [sandbox]);
  useEffect(() => {
    document.title = `${view[0].toUpperCase()}${view.slice(1)} · cnx-mock`;
  }, [view]);
  const numbers = Object.fromEntries(ORDER.map((name, place) => [place + 1, () => (go({ view: name }), true)]));
  useKeys({ ...numbers, "?": () => (setHelp(true), true), f: () => (theSandbox() ? (openArm(), true) : undefined) });
  return html`<${Header} view=${view} onHelp=${() => setHelp(true)} />
    <${Notices} />
    <${Vitals} />
    <main id="main" class="main">${view === "demo" ? html`<${Demo} />` : html`<${VIEWS[view]} />`}</main>
    <${Toasts} />
    <${ArmDialog} />
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}`;
}

/** The view of `cnx-mock demo`; its file is loaded when it is looked at. */
function Demo() {
  const [View, setView] = useState(null);
  useEffect(() => {
    import("./views/demo.js").then(({ Demo: loaded }) => setView(() => loaded), () => go({ view: "requests" }, true));
  }, []);
  return View && html`<${View} />`;
}

function Notices() {
  const { notice, connection } = useStore("frame");
  return html`<div class="notices" role="status">
    ${connection === "down" && html`<p class="notice bad">The server does not answer. This page waits for it, and then continues.</p>`}
    ${notice && html`<p class="notice">${notice}<button type="button" class="icon-button" aria-label="Close the notice" onClick=${() => notify(null)}>✕</button></p>`}
  </div>`;
}

function Toasts() {
  useStore("frame");
  return html`<div class="toasts" role="status" aria-live="polite">
    ${state.toasts.map((item) => html`<p key=${item.id} class="toast ${item.bad ? "bad" : ""}">
      <span>${item.text}</span>
      ${item.undo && html`<button type="button" class="link" onClick=${() => (dismiss(item.id), item.undo())}>Undo</button>`}
      <button type="button" class="icon-button" aria-label="Close" onClick=${() => dismiss(item.id)}>✕</button>
    </p>`)}
  </div>`;
}

render(html`<${App} />`, document.getElementById("app"));
