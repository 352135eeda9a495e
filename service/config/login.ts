/** `login` of preview.yaml: users that its seeds make, and where the application lets Stackling log one of them in. */
import { z } from "zod";

/** Where the application logs in whom a token of Stackling names. */
export interface LoginConfig {
  readonly path: string;
  readonly users: readonly LoginUser[];
}

export interface LoginUser {
  /** As the application knows it: what the token says. */
  readonly name: string;
  /** For people. */
  readonly title: string;
}

/** A name goes into addresses and tokens, and is compared as it stands. */
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/,
    "must be letters, digits and . _ @ + -, a letter or digit first, at most 64",
  );

const user = z.union([
  name,
  z.strictObject({
    name: name.describe("As the seeds call it; the token's `sub`."),
    title: z
      .string()
      .trim()
      .regex(/^[^\p{Cc}]{1,80}$/u, "must be 1 to 80 characters on one line")
      .optional()
      .describe("Who that is, for people. Default: the name."),
  }),
]);

export const loginSchema = z
  .strictObject({
    path: z
      .string()
      .regex(
        /^\/(?![/\\])(?!\.stackling(?:\/|$))[A-Za-z0-9._~/-]{0,199}$/,
        "must be a path of the application such as /stackling-login: letters, digits and . _ ~ - between slashes",
      )
      .describe("Path of the main service that takes `?token=…`, checks it and begins the user's session."),
    users: z
      .array(user)
      .min(1, "must name at least one user")
      .max(50, "may name 50 users at most")
      .refine((users) => new Set(users.map(nameOf)).size === users.length, "must name each user once")
      .describe("Users that the seeds make: a name each, or `{name, title}`."),
  })
  .describe("Lets visitors of a preview be a user of its seeds by one click: see docs/login.md.");

export type LoginFile = z.infer<typeof loginSchema>;

function nameOf(typed: z.infer<typeof user>): string {
  return typeof typed === "string" ? typed : typed.name;
}

export function toLogin({ path, users }: LoginFile): LoginConfig {
  const whole = users.map((typed) => (typeof typed === "string" ? { name: typed } : typed));
  return { path, users: whole.map(({ name: known, title = known }) => ({ name: known, title })) };
}
