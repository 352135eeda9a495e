/** Everything that says elsewhere what became of previews, wired: the forge, chats, outgoing hooks. */
import type { Finding } from "../components/ports.ts";
import { createForgeSink } from "./announce.ts";
import { checkChats, createChatSinks } from "./chat/sinks.ts";
import { createComments } from "./comments.ts";
import { startHooks } from "./hooks/hooks.ts";
import { createNotifier } from "./notify.ts";
import { forgeFor } from "./sources.ts";
import { createStageSink } from "./stages/announce.ts";
import type { Parts } from "./start-work.ts";
import type { Preview } from "./status.ts";
import { sinkWithSpans } from "./tracing/sink-spans.ts";

export interface Telling {
  /** Resolves when what must not be lost is written down; the rest follows behind. Never rejects. */
  announce(preview: Preview): Promise<void>;
  /** Whom it could not be told. */
  check(): Promise<readonly Finding[]>;
  /** Resolves when nothing is left to be said, or what is left is in the outbox. */
  close(): Promise<void>;
}

export function startTelling(parts: Parts): Telling {
  const { identities } = parts;
  const hooks = startHooks(parts);
  const placeOf = (name: string) => (identities.isReplaced(name) ? undefined : forgeFor(parts, name));
  const forge = createForgeSink({ ...parts, forgeFor: placeOf, comments: createComments(parts) });
  const stages = createStageSink({ ...parts, forgeFor: placeOf });
  const { logger, tracing } = parts;
  const sinks = [forge, stages, ...createChatSinks(parts)].map((sink) => sinkWithSpans(sink, tracing));
  const notifier = createNotifier({ sinks, logger });
  return {
    async announce(preview) {
      await hooks.announce(preview);
      await notifier.announce(preview);
    },
    check: async () => (await Promise.all([hooks.check(), checkChats(parts.config)])).flat(),
    async close() {
      await Promise.all([notifier.settled(), hooks.close()]);
    },
  };
}
