/** Chats as places where it is said what became of a preview: each remembers what it was told last. */
import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import { isStage } from "../../infra/names.ts";
import { previewFacts } from "../comment/facts.ts";
import type { ChatConfig } from "../config/chat.ts";
import type { OperatorConfig } from "../config/types.ts";
import { digestOf } from "../digest.ts";
import type { HookStore } from "../hooks/store.ts";
import type { Outcome, Sink } from "../notify.ts";
import type { ChatDriver } from "./driver.ts";
import { chatMessage } from "./message.ts";
import { newsOf } from "./news.ts";
import { slackDriver } from "./slack.ts";
import { teamsDriver } from "./teams.ts";

export interface ChatSinkDeps {
  readonly store: Pick<HookStore, "told" | "tell">;
  readonly config: Pick<OperatorConfig, "chat" | "repositories" | "scheme" | "domain" | "fallbackUrl">;
}

/** One for each chat of the config. */
export function createChatSinks(deps: ChatSinkDeps): readonly Sink[] {
  return Object.entries(deps.config.chat ?? {}).map(([name, chat]) => chatSink(deps, name, chat));
}

/** What can be seen of them without posting anything. */
export async function checkChats({ chat = {} }: Pick<OperatorConfig, "chat">): Promise<readonly Finding[]> {
  return Promise.all(
    Object.entries(chat).map(async ([name, one]): Promise<Finding> => {
      try {
        await driverOf(one).check();
        return { ok: true, what: `chat "${name}" can be told` };
      } catch (error) {
        if (!(error instanceof StacklingError)) throw error;
        const remedy = `mend \`chat.${name}\` in the configuration, or what it names: docs/chat.md`;
        return { ok: false, what: `chat "${name}": ${error.userMessage}`, remedy };
      }
    }),
  );
}

/** Whether a repository's previews are told there: everywhere, unless it names its own. */
export function isTold(
  { repositories }: Pick<OperatorConfig, "repositories">,
  repository: string,
  name: string,
): boolean {
  return repositories.find((one) => one.name === repository)?.chat?.includes(name) ?? true;
}

function chatSink({ store, config }: ChatSinkDeps, name: string, chat: ChatConfig): Sink {
  const { scheme, domain, fallbackUrl } = config;
  const driver = driverOf(chat);
  const place = `chat ${name}`;
  return {
    name: place,
    async write(preview): Promise<Outcome> {
      const { key, number, repository, status } = preview;
      // What somebody made by hand is nobody else's business.
      if ((number === undefined && !isStage(key)) || !isTold(config, repository, name)) return "same";
      const { mark: last, ...handles } = (await store.told(place, key)) ?? {};
      // Nobody waits for a preview of what the rules refuse, nor for the end of what was never told of.
      if (last === undefined && (status.refusedSince !== undefined || status.reason === "Gone")) return "same";
      const message = chatMessage(previewFacts(preview, { homeUrl: `${scheme}://${domain}`, fallbackUrl }));
      const mark = driver.edits ? digestOf(message) : newsOf(preview);
      if (mark === undefined || mark === last) return "same";
      // Killed before the next line, a new message comes twice: chats know no way to ask for it.
      const kept = await driver.post(message, handles);
      await store.tell(place, key, { ...kept, mark });
      return "written";
    },
  };
}

function driverOf(chat: ChatConfig): ChatDriver {
  return chat.kind === "slack" ? slackDriver(chat) : teamsDriver(chat);
}
