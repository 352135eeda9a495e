import { isAbsolute } from "node:path";
import { z } from "zod";
import { EVERYTHING, may, visibleTo } from "../../roles.ts";
import { CONDITIONS, type Preview, STAGES } from "../../status.ts";
import { pageOfRows } from "../../store/page.ts";
import type { HistoryEntry, Store } from "../../store/store.ts";
import { type Actions, actionRequest } from "../actions.ts";
import type { Doing } from "../doing.ts";
import { nextPage, pageOf, pageQuery, pointOn } from "../paging.ts";
import type { EndsReader } from "../preview-ends.ts";
import { type PreviewView, previewView, stageOf, type ViewExtras } from "../preview-view.ts";
import { Refused } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { driftReportSchema, historySchema, previewSchema, receiptSchema } from "../schemas.ts";

export interface PreviewRoutesDeps {
  readonly store: Pick<Store, "list" | "find" | "history" | "receipts">;
  readonly actions: Pick<Actions, "upByHand" | "drift" | "look">;
  readonly doing: Doing;
  readonly ends: EndsReader;
  /** The comment as it would stand on the pull request, and when it is looked at next. */
  readonly extras: (preview: Preview) => Promise<ViewExtras>;
}

const byHand = z
  .strictObject({
    repository: z.string().min(1).max(4096).optional().describe("Name of a configured repository."),
    path: z.string().min(1).max(4096).optional().describe("Of a git repository on the service's machine; admins only."),
    ref: z.string().min(1).max(1024).optional().describe("Branch, tag or commit. Default: what is checked out."),
  })
  .refine(({ repository, path }) => (repository === undefined) !== (path === undefined), {
    message: 'give either "repository" or "path"',
  });
const lookRequest = z.strictObject({ key: z.string().min(1).max(1024).describe("Such as `shop#42`.") });
const yes = z.enum(["0", "1", "true", "false"]);
const isYes = (said: string) => said === "1" || said === "true";

const listQuery = z.object({
  ...pageQuery,
  gone: yes.default("0").describe("Those that are gone too."),
  repository: z.string().max(200).optional().describe("Of one repository, by its name."),
  condition: z.enum(CONDITIONS).optional().describe("In this condition."),
  stage: z.enum(STAGES).optional().describe("At this point of its life."),
  author: z.string().max(200).optional().describe("Of the pull request, with or without `@`."),
});

export function previewRoutes(deps: PreviewRoutesDeps): readonly Route[] {
  const { store, doing } = deps;
  const whole = wholeReader(deps);
  return [
    route({
      method: "get",
      path: "/previews",
      id: "listPreviews",
      tag: "Previews",
      summary: "List previews, newest first",
      may: "look",
      where: "anywhere",
      query: listQuery,
      answer: {
        status: 200,
        schema: z.strictObject({ previews: z.array(previewSchema), next: nextPage }),
        says: "One page of them.",
      },
      async handle(call) {
        const { query, caller } = call;
        const all = visibleTo(caller, await store.list({ gone: isYes(query.gone) })).filter(wantedBy(query));
        const { shown, next } = pageOf(all, query, ({ createdAt: at, key: name }) => ({ at, name }));
        const endsOf = await deps.ends();
        pointOn(call, next);
        return { previews: shown.map((preview) => previewView(preview, { ends: endsOf(preview) })), next };
      },
    }),
    route({
      method: "post",
      path: "/previews",
      id: "createPreview",
      tag: "Previews",
      summary: "Bring up a preview by hand",
      description:
        "Of any ref of a configured repository, until `down`; an admin's also of any repository on the machine.",
      may: "operate",
      where: "anywhere",
      body: byHand,
      answer: { status: 202, schema: previewSchema, says: "It is wished for; the work follows." },
      async handle({ request, caller, body: { repository, path, ref } }) {
        const wished = repository ?? path ?? "";
        if (!mayBringUp(caller, wished))
          throw new Refused(
            403,
            "Forbidden",
            `bringing up "${wished.slice(0, 200)}": yours is to name one of your repositories; a path is an admin's`,
          );
        const detail = ref === undefined ? wished : `${wished}, ${ref}`;
        const preview = await doing.note(request, { action: "up", detail }, (by) =>
          deps.actions.upByHand({ repository: wished, ref, by }),
        );
        return whole(preview);
      },
    }),
    route({
      method: "get",
      path: "/previews/:key",
      id: "getPreview",
      tag: "Previews",
      summary: "Show a preview",
      may: "look",
      where: "preview",
      answer: { status: 200, schema: previewSchema, says: "All that is known of it." },
      handle: async ({ preview }) => whole(await preview()),
    }),
    route({
      method: "get",
      path: "/previews/:key/history",
      id: "getHistory",
      tag: "Previews",
      summary: "What happened to a preview, newest first",
      may: "look",
      where: "preview",
      query: z.object(pageQuery),
      answer: {
        status: 200,
        schema: z.strictObject({ history: z.array(historySchema), receipts: z.array(receiptSchema), next: nextPage }),
        says: "One page, with the receipts of its teardowns.",
      },
      async handle(call) {
        const { limit, cursor } = call.query;
        const { key } = await call.preview();
        const { rows: shown, next } = pageOfRows(await store.history(key, limit + 1, cursor), limit, ({ id }) => id);
        pointOn(call, next);
        return { history: shown.map(withoutId), receipts: await store.receipts(key), next };
      },
    }),
    route({
      method: "post",
      path: "/previews/:key/actions",
      id: "act",
      tag: "Previews",
      summary: "Ask something of a preview",
      description: "`wake`, `sleep`, `redeploy`, `extend`, … : what the verbs of the command line do.",
      may: "operate",
      where: "preview",
      body: actionRequest,
      answer: { status: 202, schema: previewSchema, says: "The wish is stored; the work follows." },
      async handle({ request, body, preview }) {
        const { key } = await preview();
        await doing.act(request, key, body);
        return whole(await preview());
      },
    }),
    route({
      method: "post",
      path: "/previews/:key/drift",
      id: "compare",
      tag: "Previews",
      summary: "Compare a preview's state with the world",
      may: "operate",
      where: "preview",
      answer: { status: 200, schema: driftReportSchema, says: "What differs." },
      handle: async ({ preview }) => deps.actions.drift((await preview()).key),
    }),
    route({
      method: "post",
      path: "/look",
      id: "look",
      tag: "Previews",
      summary: "Look at a preview, or at a pull request that has none yet",
      may: "operate",
      where: "everything",
      body: lookRequest,
      answer: { status: 202, schema: lookRequest, says: "It is looked at soon." },
      async handle({ body: { key } }) {
        await deps.actions.look(key);
        return { key };
      },
    }),
  ];
}

/** One preview with what only a look at it alone shows. */
export function wholeReader({ ends, extras }: Pick<PreviewRoutesDeps, "ends" | "extras">) {
  return async (preview: Preview): Promise<PreviewView> =>
    previewView(preview, { ends: (await ends())(preview), ...(await extras(preview)) });
}

function wantedBy({ repository, condition, stage, author }: z.output<typeof listQuery>) {
  const login = author?.replace(/^@/, "").toLowerCase();
  return (preview: Preview) =>
    (repository === undefined || preview.repository === repository) &&
    (condition === undefined || preview.status.condition === condition) &&
    (stage === undefined || stageOf(preview) === stage) &&
    (login === undefined || preview.pullRequest?.author?.toLowerCase() === login);
}

/** What lies on the machine is anybody's: only who may do everything says that it runs. */
function mayBringUp(caller: Parameters<typeof may>[0], wished: string): boolean {
  if (may(caller, "administer", EVERYTHING)) return true;
  return !isAbsolute(wished) && may(caller, "operate", wished);
}

function withoutId({ id: _id, ...entry }: HistoryEntry): Omit<HistoryEntry, "id"> {
  return entry;
}
