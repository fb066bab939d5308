// Addresses of the page: #/requests?sandbox=sbx_…&open=12. A reload, or a link in a chat, shows the same again.

import { useLayoutEffect, useState } from "./lib.js";

export const VIEWS = ["requests", "world", "story", "time", "audit", "demo"];

export function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const view = VIEWS.includes(path) ? path : "requests";
  const given = new URLSearchParams(query);
  return { view, sandbox: given.get("sandbox"), open: given.get("open") };
}

/** The address of a view; what is not named stays as it is, and `open` belongs to one view. */
export function href({ view = route().view, sandbox = route().sandbox, open = null } = {}) {
  const query = new URLSearchParams();
  if (sandbox) query.set("sandbox", sandbox);
  if (open) query.set("open", open);
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

/** Go there at once: a browser tells of a new `location.hash` when it has time, and the next key would still find the
 * page as it was. With `replace` the browser's Back button does not come back to where we are. */
export function go(where, replace = false) {
  goTo(href(where), replace);
}

function goTo(target, replace = false) {
  if (target === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** A click on a link is as quick as a key. */
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#/']");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  goTo(link.getAttribute("href"));
});

/** The address as it is now; the calling component is drawn again when it changes, from its first drawing on. */
export function useRoute() {
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    const listen = () => draw((count) => count + 1);
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  return route();
}
