/** What every route of the pages needs to answer a person. */
import type { Request, Response } from "express";
import type { Doing } from "../api/doing.ts";
import type { Html } from "../html.ts";
import type { Session } from "../session.ts";
import type { Frame } from "./layout.ts";

export interface Answering {
  readonly frameOf: (request: Request) => Promise<Frame>;
  /** The session of who may act; undefined where the form is not of this session. */
  readonly actor: (request: Request) => Session | undefined;
  /** Does it in the name of who asks, and writes it into the audit. */
  readonly doing: Doing;
  readonly send: (response: Response, status: number, page: Html) => void;
}
