// The sandbox's clock between two answers of the server: it is computed, not asked for again and again.

import { useEffect, useState } from "./lib.js";
import { state } from "./store.js";

/** Remember a clock as the server has shown it. */
export function clockOf({ now, speed, frozen }) {
  return { at: Date.parse(now), speed, frozen, taken: performance.now() };
}

/** The sandbox's time now, in milliseconds; the machine's without a sandbox. */
export function sandboxNow() {
  const { clock } = state;
  if (!clock) return Date.now();
  return clock.frozen ? clock.at : clock.at + (performance.now() - clock.taken) * clock.speed;
}

/** Draw the calling component again every so many milliseconds, while the page can be seen. */
export function useTick(every) {
  const [, draw] = useState(0);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.hidden || draw((count) => count + 1), every);
    return () => clearInterval(timer);
  }, [every]);
}
