import type { ColumnType, Generated, JSONColumnType } from "kysely";
import type { ReadyEvent } from "../ready-event.ts";

/** What a place was told last of a preview; each place has its own kind of it. */
export type Told = Readonly<Record<string, string>>;

export interface ToldTable {
  place: string;
  key: string;
  body: JSONColumnType<Told>;
  at: ColumnType<Date, never, Date>;
}

type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface HookDeliveryTable {
  id: string;
  hook: string;
  key: string;
  event: string;
  body: JSONColumnType<ReadyEvent>;
  at: Generated<Date>;
  /** Null once it is over. */
  due_at: OptionalTime;
  attempts: Generated<number>;
  delivered_at: OptionalTime;
  failed_at: OptionalTime;
  /** What came of the last attempt. */
  answer: string | null;
}
