/**
 * One call of the API, said once: from this come the route itself, who may call it, what is checked of a request, and
 * the OpenAPI document.
 */
import type { Request, Response } from "express";
import type { z } from "zod";
import type { Caller, Deed } from "../roles.ts";
import type { Preview } from "../status.ts";

export type Where =
  /** The preview that `:key` names: its key or its stack's name. */
  | "preview"
  /** The whole instance: not for a token or person of some repositories only. */
  | "everything"
  /** Wherever they may: the route itself answers with that alone. */
  | "anywhere";

export interface Route {
  readonly method: "get" | "post" | "delete";
  /** As express has it, below `/api/v1`. */
  readonly path: string;
  /** `operationId` */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly may: Deed;
  readonly where: Where;
  /** Sessions of the pages may not: what is answered is worth more than they are. */
  readonly tokenOnly?: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: Answer;
  /** Resolves with the answer's body, or undefined where it answered by itself. */
  readonly handle: (call: Call) => Promise<unknown>;
}

export type Tag = "Previews" | "Instance" | "Baselines" | "Access";

export interface Answer {
  readonly status: 200 | 201 | 202;
  readonly schema: z.ZodType;
  /** Of a stream `schema` is one line's, or one event's; JSON otherwise. */
  readonly type?: "application/x-ndjson" | "text/event-stream" | "text/csv";
  /** By what is asked for. */
  readonly or?: { readonly [type in "application/vnd.apache.parquet"]: z.ZodType };
  readonly says: string;
}

export interface Call<Query = unknown, Body = unknown> {
  readonly request: Request;
  readonly response: Response;
  readonly caller: Caller;
  readonly query: Query;
  readonly body: Body;
  /** Throws `NotFound` for one that is not there, or not to be seen. Only where the route is of one. */
  readonly preview: () => Promise<Preview>;
  /** A part of the path by its name. */
  readonly param: (name: string) => string;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

interface Definition<Query extends z.ZodObject | undefined, Body extends z.ZodType | undefined>
  extends Omit<Route, "query" | "body" | "handle"> {
  readonly query?: Query;
  readonly body?: Body;
  readonly handle: (call: Call<Parsed<Query>, Parsed<Body>>) => Promise<unknown>;
}

/** Gives the handler what its own schemas parse to. */
export function route<
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>({ query, body, handle, ...rest }: Definition<Query, Body>): Route {
  return {
    ...rest,
    ...(query ? { query } : {}),
    ...(body ? { body } : {}),
    handle: (call) =>
      handle({
        ...call,
        query: query?.parse(call.request.query) as Parsed<Query>,
        body: body?.parse(call.request.body) as Parsed<Body>,
      }),
  };
}
