/** A preview's services as people are told of them. Pure. */
import type { PreviewSpec } from "../../infra/spec.ts";
import type { PreviewStatus } from "../status.ts";

export interface ServiceFact {
  readonly name: string;
  readonly url?: string;
  /** `up`, `asleep`, `waking up`, `stopping`, `on schedule 0 3 * * *`, … */
  readonly state: string;
}

/** Of the version that serves. What is wrong with one of them is in the preview's message. */
export function servicesOf(status: PreviewStatus): readonly ServiceFact[] {
  const { live } = status;
  if (!live) return [];
  return live.services.map((service) => {
    const url = live.urls[service.name];
    return { name: service.name, ...(url === undefined ? {} : { url }), state: stateOf(service, status) };
  });
}

type Service = PreviewSpec["services"][number];

function stateOf({ kind, schedule }: Service, { reason, awake }: PreviewStatus): string {
  if (reason === "Destroying") return "stopping";
  if (kind === "job") return "ran once";
  if (reason === "Waking") return "waking up";
  if (!awake) return "asleep";
  return kind === "cron" && schedule !== undefined ? `on schedule ${schedule}` : "up";
}
