/** Chats as places where it is said what became of a preview: each remembers what it was told last. */
import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import { isStage } from "../../infra/names.ts";
import { previewFacts } from "../comment/facts.ts";
import type { ChatConfig } from "../config/chat.ts";
import type { OperatorConfig } from "../config/types.ts";
import { digestOf } from "../digest.ts";
import type { HookStore } from "../hooks/store.ts";
import { placesOf } from "../linked/follow.ts";
import type { Budgets } from "../money/budgets/budgets.ts";
import type { Costs } from "../money/costs.ts";
import { costQuestion, toldSteadily } from "../money/said.ts";
import type { Outcome, Sink } from "../notify.ts";
import type { Store } from "../store/store.ts";
import type { ChatDriver } from "./driver.ts";
import { chatMessage } from "./message.ts";
import { newsOf } from "./news.ts";
import { slackDriver } from "./slack.ts";
import { teamsDriver } from "./teams.ts";

export interface ChatSinkDeps {
  readonly store: Pick<HookStore, "told" | "tell"> & Pick<Store, "current">;
  readonly config: Pick<OperatorConfig, "chat" | "repositories" | "scheme" | "domain" | "fallbackUrl">;
  /** Absent: no word of money. */
  readonly costs?: Pick<Costs, "of">;
  readonly budgets?: Pick<Budgets, "of">;
  /** ISO 8601 UTC */
  readonly now?: () => string;
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

function chatSink(deps: ChatSinkDeps, name: string, chat: ChatConfig): Sink {
  const { store, config, budgets } = deps;
  const { scheme, domain, fallbackUrl } = config;
  const driver = driverOf(chat);
  const place = `chat ${name}`;
  return {
    name: place,
    async write(preview): Promise<Outcome> {
      const { key, number, repository, status } = preview;
      // What somebody made by hand is nobody else's business.
      if ((number === undefined && !isStage(key)) || !isTold(config, repository, name)) return "same";
      const { mark: last, cost: kept, ...handles } = (await store.told(place, key)) ?? {};
      // Nobody waits for a preview of what the rules refuse, nor for the end of what was never told of.
      if (last === undefined && (status.refusedSince !== undefined || status.reason === "Gone")) return "same";
      const [budget, runsIn] = await Promise.all([budgets?.of(preview), placesOf(store, preview)]);
      const { value, isSame, keep } = await toldSteadily(costQuestion(deps, preview, kept), async (cost) => {
        const told = chatMessage(
          previewFacts(preview, { homeUrl: `${scheme}://${domain}`, fallbackUrl, runsIn, cost, budget }),
        );
        const made = driver.edits ? digestOf(told) : newsOf(preview);
        return { value: { message: told, mark: made }, isSame: made === undefined || made === last };
      });
      const { message, mark } = value;
      if (mark === undefined || isSame) return "same";
      // Killed before the next line, a new message comes twice: chats know no way to ask for it.
      const posted = await driver.post(message, handles);
      await store.tell(place, key, { ...posted, mark, cost: keep });
      return "written";
    },
  };
}

function driverOf(chat: ChatConfig): ChatDriver {
  return chat.kind === "slack" ? slackDriver(chat) : teamsDriver(chat);
}
