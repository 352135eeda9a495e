/** Whether somebody is let through: a preview's doors, and what goes in their place. */
import { sameSecret } from "../../session.ts";
import type { Door, DoorName, Visitor } from "./door.ts";
import type { Pass } from "./passes.ts";

export type NamedDoor = Door & { readonly name: DoorName };

/** Doors of which one, or all, must be passed; none at all: nobody passes. */
export interface Row {
  readonly doors: readonly NamedDoor[];
  readonly satisfy: "all" | "any";
}

/** What stands before a preview. Everybody may see one that has none. */
export interface Guard {
  /** Each must be passed: the operator's, and the application's own. */
  readonly rows: readonly Row[];
  /** Services that it does not stand before. */
  readonly openServices: ReadonlySet<string>;
  /** The operator has not said who may come in. */
  readonly isUndecided: boolean;
  /** How long share links may open it; undefined: they do not. */
  readonly shareSeconds?: number;
  /** The token of test runners now; undefined: there is none. */
  readonly bypass?: () => Promise<string>;
}

/** What a visitor brings. */
export interface Brought extends Visitor {
  readonly pass?: Pass;
  /** From a share link, sent as it is. */
  readonly share?: Pass;
  /** Said to be the token of test runners. */
  readonly token?: string;
}

/** Marks a pass that was made from a share link. */
export const SHARED = "share";

/** Undefined: let through. Else the doors that may be tried; none: there is nothing that this visitor could do. */
export async function refusalOf(guard: Guard, brought: Brought): Promise<readonly NamedDoor[] | undefined> {
  const { pass, share, token } = brought;
  if (guard.shareSeconds !== undefined && (share !== undefined || pass?.opened.includes(SHARED))) return undefined;
  if (token !== undefined && guard.bypass && sameSecret(token, await guard.bypass())) return undefined;
  const rows = await Promise.all(guard.rows.map((row) => lockedOf(row, brought)));
  if (rows.every((locked) => locked === undefined)) return undefined;
  const askable = rows.map((locked, index) => ({
    open: locked === undefined,
    satisfy: guard.rows[index]?.satisfy,
    asks: (locked ?? []).filter((door) => door.asks !== undefined || door.signsIn !== undefined),
    locked: locked ?? [],
  }));
  // Where one door asks nothing and must be passed, an answer at another helps nobody.
  const isHopeless = askable.some(
    ({ open, satisfy, asks, locked }) =>
      !open && (asks.length === 0 || (satisfy === "all" && asks.length < locked.length)),
  );
  return isHopeless ? [] : askable.flatMap(({ asks }) => asks);
}

/** The doors of a row that are shut; undefined: the row is passed. */
async function lockedOf({ doors, satisfy }: Row, brought: Brought): Promise<readonly NamedDoor[] | undefined> {
  const opened = await Promise.all(doors.map((door) => isOpen(door, brought)));
  const locked = doors.filter((_door, index) => !opened[index]);
  const passed = satisfy === "any" ? locked.length < doors.length : doors.length > 0 && locked.length === 0;
  return passed ? undefined : locked;
}

async function isOpen({ opensTo, mark }: NamedDoor, { pass, ...visitor }: Brought): Promise<boolean> {
  if (opensTo?.(visitor)) return true;
  return mark !== undefined && (pass?.opened.includes(await mark()) ?? false);
}
