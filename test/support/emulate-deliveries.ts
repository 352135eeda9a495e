/** Deliveries as GitHub keeps and lists them, for those that are asked for again. */
import { randomInt } from "node:crypto";

export interface SeenDelivery {
  readonly id: number;
  readonly guid: string;
  readonly delivered_at: string;
  readonly redelivery: boolean;
  readonly status: string;
  readonly status_code: number;
  readonly event: string;
  /** The same once more. */
  attempt(): Promise<void>;
}

/** Sends it and keeps what came of it, newest last; nobody listening is a failure like another. */
export async function deliverTo(
  kept: SeenDelivery[],
  url: () => string | undefined,
  sent: { readonly event: string; readonly body: string; readonly headers: Readonly<Record<string, string>> },
  redelivery = false,
): Promise<void> {
  const target = url();
  if (target === undefined) return;
  const { body, headers, event } = sent;
  const status = await fetch(target, { method: "POST", body, headers }).then(
    (response) => response.status,
    () => 0,
  );
  const ok = status >= 200 && status < 300;
  kept.push({
    id: randomInt(1, 2 ** 40),
    guid: headers["x-github-delivery"] ?? "",
    delivered_at: new Date().toISOString(),
    redelivery,
    status: ok ? "OK" : status === 0 ? "failed to connect to host" : `Invalid HTTP Response: ${status}`,
    status_code: status,
    event,
    attempt: () => deliverTo(kept, url, sent, true),
  });
}
