/** Where a service listens now, as its driver says; remembered for a moment only, because ports are used again. */
import type { Preview } from "../status.ts";
import type { ForwardOptions } from "./forward.ts";

export interface AddressCell {
  options?: ForwardOptions;
  /** `performance.now()` until which `options` may be used unasked. */
  until: number;
  asking?: Promise<ForwardOptions | undefined>;
}

/** Answers without the store, so that requests go on while it is away. */
export type AddressOf = (stack: string, service: string, preview: Preview) => Promise<string | undefined>;

const FRESH_MS = 1_000;

export function addressCell(): AddressCell {
  return { until: 0 };
}

/** The remembered address while it is fresh. */
export function knownAddress(cell: AddressCell): ForwardOptions | undefined {
  return cell.options && cell.until > performance.now() ? cell.options : undefined;
}

/** Asks the driver; many callers at once share one question. Rejects when the driver does. */
export function askAddress(
  addressOf: AddressOf,
  route: {
    readonly stack: string;
    readonly service?: string;
    readonly preview: Preview;
    readonly address: AddressCell;
  },
): Promise<ForwardOptions | undefined> {
  const { stack, service, preview, address: cell } = route;
  if (service === undefined) return Promise.resolve(undefined);
  cell.asking ??= addressOf(stack, service, preview)
    .then((address) => {
      const target = address === undefined ? undefined : parseAddress(address);
      if (!target) cell.options = undefined;
      // The same object for the same address, so that a request allocates none.
      else if (!cell.options || cell.options.target.host !== target.host || cell.options.target.port !== target.port) {
        cell.options = { target };
      }
      cell.until = performance.now() + FRESH_MS;
      return cell.options;
    })
    .finally(() => {
      cell.asking = undefined;
    });
  return cell.asking;
}

/** `host:port` or `[v6]:port`; undefined when it is neither. */
export function parseAddress(address: string): ForwardOptions["target"] | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host && port >= 1 && port <= 65_535 ? { protocol: "http:", host, port } : undefined;
}
