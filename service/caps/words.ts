/** A place in the queue as people read it. Pure. */
import type { QueuePlace } from "./arrange.ts";

const ORDINALS = ["", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"];

/** `Third in the queue of shop, which may have 2 live previews at once.` */
export function placeWords({ place, scope, name, limit }: QueuePlace): string {
  const most = `${limit} live ${limit === 1 ? "preview" : "previews"} at once`;
  const start = ORDINALS[place] ?? `${place}${suffix(place)}`;
  switch (scope) {
    case "repository":
      return `${start} in the queue of ${name}, which may have ${most}. It goes on by itself.`;
    case "author":
      return `${start} in the queue of ${name}, who may have ${most}. It goes on by itself.`;
    case "all":
      return `${start} in the queue; there may be ${most}. It goes on by itself.`;
  }
}

function suffix(place: number): string {
  if (place % 100 >= 11 && place % 100 <= 13) return "th";
  return ["th", "st", "nd", "rd"][place % 10] ?? "th";
}
