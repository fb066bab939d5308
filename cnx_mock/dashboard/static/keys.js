// Keys of the whole page. Nothing happens while somebody writes into a field, or with Ctrl, Alt or Meta.

import { useLayoutEffect } from "./lib.js";

const FIELDS = ["INPUT", "TEXTAREA", "SELECT"];

/** Call `keys[event.key]` while the component is there: what can be seen can be done with a key at once. */
export function useKeys(keys) {
  useLayoutEffect(() => {
    const listen = (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]")) return;
      const field = FIELDS.includes(event.target.tagName);
      if (field && event.key !== "Escape") return;
      if (["Enter", " "].includes(event.key) && ["BUTTON", "A", "SUMMARY"].includes(event.target.tagName)) return;
      if (keys[event.key]?.(event) !== undefined) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
}
