import { z } from "zod";
import type { Share } from "../../gateway/access/share.ts";
import type { Doing } from "../doing.ts";
import { type Route, route } from "../route.ts";

export interface ShareRoutesDeps {
  readonly share: Share;
  readonly doing: Pick<Doing, "note">;
}

/** Where nobody says how long. */
export const SHARE_SECONDS = 86_400;

const shareRequest = z.strictObject({
  seconds: z.int().min(60).default(SHARE_SECONDS).describe("How long it opens."),
  to: z.string().startsWith("/").max(2048).optional().describe("Address in the preview to begin at."),
  service: z.string().max(64).optional().describe("Of several. Default: the main one."),
});
export type ShareRequest = z.input<typeof shareRequest>;

export function shareRoutes({ share, doing }: ShareRoutesDeps): readonly Route[] {
  return [
    route({
      method: "post",
      path: "/previews/:key/share",
      id: "share",
      tag: "Previews",
      summary: "Make a link that opens a preview's door for a while",
      may: "operate",
      where: "preview",
      body: shareRequest,
      answer: {
        status: 201,
        schema: z.strictObject({
          key: z.string(),
          url: z.string(),
          expiresAt: z.iso.datetime(),
          token: z.string().describe("The same for programs, as the header X-Stackling-Bypass."),
        }),
        says: "Whoever has it gets in.",
      },
      async handle({ request, body, preview: named }) {
        const preview = await named();
        const what = { action: "share", key: preview.key, detail: `for ${body.seconds} s` };
        const link = await doing.note(request, what, () => share(preview, body));
        return { key: preview.key, ...link };
      },
    }),
  ];
}
