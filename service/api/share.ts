/** `/api/v1/previews/KEY/share`: a link that opens a preview's door for a while. */
import type { Request, Router } from "express";
import { z } from "zod";
import type { Share } from "../gateway/access/share.ts";
import type { Preview } from "../status.ts";
import type { Doing } from "./doing.ts";

export interface ShareRoutesDeps {
  readonly share: Share;
  readonly named: (request: Request) => Promise<Preview>;
  readonly doing: Pick<Doing, "note">;
}

/** Where nobody says how long. */
export const SHARE_SECONDS = 86_400;

export const shareRequest = z.strictObject({
  seconds: z.int().min(60).default(SHARE_SECONDS),
  to: z.string().startsWith("/").max(2048).optional(),
  service: z.string().max(64).optional(),
});
export type ShareRequest = z.input<typeof shareRequest>;

export function shareRoutes(api: Router, { share, named, doing }: ShareRoutesDeps): void {
  api.post("/previews/:key/share", async (request, response) => {
    const wish = shareRequest.parse(request.body);
    const preview = await named(request);
    const what = { action: "share", key: preview.key, detail: `for ${wish.seconds} s` };
    const link = await doing.note(request, what, () => share(preview, wish));
    response.status(201).json({ key: preview.key, ...link });
  });
}
