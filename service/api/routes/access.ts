/** Who may ask, and who asked: tokens, login links, the audit. */
import { z } from "zod";
import { AUDIT_OUTCOMES, AUDIT_VIAS, type Audit } from "../../audit.ts";
import { ROLES } from "../../roles.ts";
import type { Sessions } from "../../session.ts";
import type { Tokens } from "../../tokens/token.ts";
import type { Doing } from "../doing.ts";
import { nextPage, pageQuery, pointOn } from "../paging.ts";
import { type Route, route } from "../route.ts";

export interface AccessRoutesDeps {
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly doing: Pick<Doing, "note">;
  readonly sessions: Pick<Sessions, "mint">;
  readonly loginUrl: (code: string) => string;
}

const text = z.string();
const time = z.iso.datetime();
const TOKEN_DAYS_MAX = 3_650;

export const tokenRequest = z.strictObject({
  name: text
    .regex(/^[A-Za-z][A-Za-z0-9._-]{0,39}$/, "must be letters, digits and . _ -, a letter first, at most 40")
    .describe("What it is for."),
  role: z.enum(ROLES).describe("What it may do."),
  repositories: z
    .array(text.min(1).max(200))
    .min(1)
    .max(200)
    .optional()
    .describe("Names of repositories that it is for. Default: all, also those to come."),
  seconds: z
    .int()
    .min(60)
    .max(TOKEN_DAYS_MAX * 86_400)
    .optional()
    .describe("How long it holds. Default: until it is revoked."),
});
export type TokenRequest = z.input<typeof tokenRequest>;

const tokenRow = z
  .strictObject({
    id: text.describe("Of this one token."),
    name: text.describe("What it is for."),
    role: z.enum(ROLES).describe("What it may do."),
    repositories: z.array(text).optional().describe("Those that it is for; absent: all."),
    createdAt: time,
    createdBy: text.describe("Who made it."),
    expiresAt: time.optional().describe("When it ends; absent: when it is revoked."),
    lastUsedAt: time.optional().describe("A minute old at most."),
  })
  .meta({ id: "Token" });

const auditEntry = z
  .strictObject({
    at: time,
    actor: text.describe("Person or token that asked."),
    action: text.describe("What was asked, as a verb."),
    key: text.optional().describe("Of the preview that it was asked of."),
    detail: text.optional().describe("With what, in words."),
    via: z.enum(AUDIT_VIAS).describe("By which way it came."),
    address: text.optional().describe("From where."),
    outcome: z.enum(AUDIT_OUTCOMES).describe("What came of it."),
  })
  .meta({ id: "AuditEntry" });

export const auditQuery = z.object({
  ...pageQuery,
  key: text.max(300).optional().describe("Of a preview."),
  actor: text.max(200).optional().describe("Of one person or token."),
  action: text.max(60).optional().describe("Of one verb."),
});

export function accessRoutes({ tokens, audit, doing, sessions, loginUrl }: AccessRoutesDeps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/audit",
      id: "listAudit",
      tag: "Access",
      summary: "Who asked for what, newest first",
      may: "administer",
      where: "everything",
      query: auditQuery,
      answer: {
        status: 200,
        schema: z.strictObject({ audit: z.array(auditEntry), next: nextPage }),
        says: "One page of it.",
      },
      async handle(call) {
        const { cursor, ...query } = call.query;
        const { entries, next } = await audit.list({ ...query, ...(cursor === undefined ? {} : { before: cursor }) });
        pointOn(call, next);
        return { audit: entries, next };
      },
    }),
    route({
      method: "get",
      path: "/tokens",
      id: "listTokens",
      tag: "Access",
      summary: "List tokens, newest first; what they are is shown only once",
      may: "administer",
      where: "everything",
      query: z.object(pageQuery),
      answer: {
        status: 200,
        schema: z.strictObject({ tokens: z.array(tokenRow), next: nextPage }),
        says: "One page of them.",
      },
      async handle(call) {
        const { cursor: before, limit } = call.query;
        const page = await tokens.list({ limit, ...(before === undefined ? {} : { before }) });
        pointOn(call, page.next);
        return page;
      },
    }),
    route({
      method: "post",
      path: "/tokens",
      id: "createToken",
      tag: "Access",
      summary: "Make a token for a program",
      may: "administer",
      where: "everything",
      tokenOnly: true,
      body: tokenRequest,
      answer: {
        status: 201,
        schema: z.strictObject({ token: text.describe("Shown this once."), ...tokenRow.shape }),
        says: "It holds at once.",
      },
      async handle({ request, body: { seconds, ...wish } }) {
        const detail = [`"${wish.name}"`, wish.role, ...(wish.repositories ?? [])].join(" ");
        const expires = seconds === undefined ? {} : { expiresAt: new Date(Date.now() + seconds * 1000).toISOString() };
        const { token, row } = await doing.note(request, { action: "token create", detail }, (by) =>
          tokens.create({ ...wish, ...expires }, by),
        );
        return { token, ...row };
      },
    }),
    route({
      method: "delete",
      path: "/tokens/:name",
      id: "revokeToken",
      tag: "Access",
      summary: "Revoke a token; it ends at once",
      may: "administer",
      where: "everything",
      answer: { status: 200, schema: tokenRow, says: "What it was." },
      async handle({ request, param }) {
        const name = param("name");
        return doing.note(request, { action: "token revoke", detail: name }, () => tokens.revoke(name));
      },
    }),
    route({
      method: "post",
      path: "/login-links",
      id: "createLoginLink",
      tag: "Access",
      summary: "Make a link that logs its first visitor in to the pages, as an admin",
      may: "administer",
      where: "everything",
      tokenOnly: true,
      answer: { status: 201, schema: z.strictObject({ url: text }), says: "It holds for ten minutes, once." },
      handle: ({ request }) =>
        doing.note(request, { action: "login-link" }, async () => ({ url: loginUrl(sessions.mint()) })),
    }),
  ];
}
