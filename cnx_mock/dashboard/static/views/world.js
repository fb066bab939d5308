// The world of one sandbox: its money, its rate window, and everything that is in it.

import { changeAccount } from "../actions.js";
import { count, duration, plural } from "../format.js";
import { html, useState } from "../lib.js";
import { Figure } from "../parts/marks.js";
import { Dialog } from "../parts/dialog.js";
import { useTick } from "../sandbox_clock.js";
import { useStore } from "../store.js";
import { OneSandbox } from "./choose.js";
import { Firewalls, LoadBalancers, Snapshots } from "./network.js";
import { Instances } from "./instances.js";

export const World = () => html`<${OneSandbox} title="World" view=${Whole} />`;

function Whole() {
  const { usage, account, resources } = useStore("world");
  const [changing, setChanging] = useState(false);
  return html`<div class="view">
    <h1 class="sr-only">World</h1>
    <section class="cards" aria-label="Account">
      <dl class="card figures">
        <${Figure} label="Balance" value=${usage?.balance ?? "–"} note=${account && `${account.plan} plan`} />
        <${Figure} label="Burn" value=${usage ? `${usage.hourly}/h` : "–"} note=${usage && `${usage.monthly} a month`} />
        <${Figure} label="Bill so far" value=${usage?.charged ?? "–"} note="hours that have started" />
      </dl>
      <${RateWindow} window=${usage?.rate_window} taken=${usage?.taken} />
      <div class="card-actions"><button type="button" class="button" onClick=${() => setChanging(true)}>Change the account</button></div>
    </section>
    <${Instances} items=${[...resources.instance.values()]} />
    <${LoadBalancers} items=${[...resources.load_balancer.values()]} instances=${resources.instance} />
    <div class="columns">
      <${Firewalls} items=${[...resources.firewall.values()]} />
      <${Snapshots} items=${[...resources.snapshot.values()]} />
    </div>
    ${changing && html`<${Account} account=${account} usage=${usage} onClose=${() => setChanging(false)} />`}
  </div>`;
}

/** How full the window is, and when it is empty again: in real time, as clients wait. */
function RateWindow({ window, taken = 0 }) {
  useTick(250);
  if (!window) return null;
  const left = Math.max(0, window.resets_in_ms - (performance.now() - taken));
  const open = window.resets_in_ms > 0 && left > 0;
  const used = open ? window.used : 0;
  const part = Math.min(1, used / window.limit);
  const level = part >= 1 ? "full" : part >= 0.8 ? "high" : "low";
  const words = open ? `resets in ${duration(Math.ceil(left / 1000) * 1000)}` : "no window is open";
  return html`<div class="card gauge ${level}" aria-label="Rate window" role="group">
    <div class="gauge-head"><span class="label">Rate window</span><span class="num dim">${words}</span></div>
    <div class="bar" role="meter" aria-label="Requests of the window that are used" aria-valuemin="0" aria-valuemax=${window.limit} aria-valuenow=${used}>
      <i style=${{ width: `${part * 100}%` }}></i>
    </div>
    <p class="num"><b>${count(used)}</b> of ${count(window.limit)} used${part >= 1 ? html` · <b>429 until it resets</b>` : ` · ${plural(window.limit - used, "request")} left`}</p>
  </div>`;
}

function Account({ account, usage, onClose }) {
  const [before] = useState({ balance: usage?.balance ?? "", rate: account?.rate_limit ?? "" }); // it may change meanwhile
  const [balance, setBalance] = useState(before.balance);
  const [rate, setRate] = useState(before.rate);
  const confirm = async (event) => {
    event.preventDefault();
    const body = {};
    if (balance !== before.balance) body.balance = balance;
    if (rate !== before.rate) body.rate_limit = rate;
    if (Object.keys(body).length) await changeAccount(body, "The account is changed");
    onClose();
  };
  return html`<${Dialog} title="Change the account" onClose=${onClose}>
    <form class="form" onSubmit=${confirm}>
      <label><span>Balance</span><input type="text" autofocus value=${balance} onInput=${(event) => setBalance(event.target.value)} /></label>
      <label><span>Rate limit</span><input type="text" value=${rate} onInput=${(event) => setRate(event.target.value)} /></label>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class="button primary">Change it</button>
      </footer>
    </form>
  <//>`;
}
