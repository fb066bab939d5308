// What the page knows comes in answers and in events. An answer shows a moment that has passed: an event that came while it
// was under way may be newer, and so may be an answer that was asked for later. It must overwrite neither.

/** It rises with every question, and with every event that comes while a question is open. */
let moment = 0;
/** The questions that are not answered yet. */
const open = new Set();
/** By its name, the moment that the page shows a thing of. It is empty while no question is open. */
const shown = new Map();

const nameOf = (parts) => parts.join("/");

/** Note that an event has changed a thing. Its name goes from the whole to the part: a sandbox, a kind, an id. */
export function heard(...name) {
  if (open.size) shown.set(nameOf(name), ++moment);
}

/** Read something, and hand it to `take` with the `Answer` that knows what must not be taken of it. Throws what `read`
 * throws. */
export async function ask(read, take) {
  const asked = ++moment;
  open.add(asked);
  try {
    take(await read(), new Answer(asked));
  } finally {
    open.delete(asked);
    if (!open.size) shown.clear();
  }
}

class Answer {
  constructor(asked) {
    this.asked = asked;
  }

  /** Whether nothing newer is known of a thing as a whole. The answer is then what is known of it. */
  brings(...name) {
    for (let length = 1; length <= name.length; length += 1) {
      if (shown.get(nameOf(name.slice(0, length))) > this.asked) return false;
    }
    shown.set(nameOf(name), this.asked);
    return true;
  }

  /** The parts of a thing of which events have told something newer: the last word of their names. */
  newerParts(...name) {
    const begin = `${nameOf(name)}/`;
    const newer = [...shown].filter(([each, at]) => at > this.asked && each.startsWith(begin));
    return newer.map(([each]) => each.slice(begin.length));
  }

  /** A list of what has an id as a map, with what events have made of its items meanwhile, which is in `current`. */
  listed(items, current, ...name) {
    const found = new Map(items.map((item) => [item.id, item]));
    for (const id of this.newerParts(...name)) {
      if (current.has(id)) found.set(id, current.get(id));
      else found.delete(id);
    }
    return found;
  }
}
