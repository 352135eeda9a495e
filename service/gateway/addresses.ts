/** Where a service listens now, as its driver says; remembered for a moment only, because ports are used again. */
import { isIP } from "node:net";
import type { Preview } from "../status.ts";
import type { Place } from "../world.ts";
import type { ForwardOptions } from "./forward.ts";
import { baggageOf } from "./trace-context.ts";

export interface AddressCell {
  options?: ForwardOptions;
  /** `performance.now()` until which `options` may be used unasked. */
  until: number;
  /** What `options` were made of. */
  place?: Place;
  asking?: Promise<ForwardOptions | undefined>;
}

/** Answers without the store, so that requests go on while it is away. */
export type AddressOf = (stack: string, service: string, preview: Preview) => Promise<Place | undefined>;

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
    readonly key: string;
    readonly stack: string;
    readonly service?: string;
    readonly preview: Preview;
    readonly address: AddressCell;
  },
): Promise<ForwardOptions | undefined> {
  const { key, stack, service, preview, address: cell } = route;
  if (service === undefined) return Promise.resolve(undefined);
  cell.asking ??= addressOf(stack, service, preview)
    .then((place) => {
      // The same object for the same place, so that a request allocates none.
      if (!place || !cell.place || !isSame(place, cell.place)) {
        cell.place = place;
        cell.options = place && forwardOptions(place, baggageOf(key));
      }
      cell.until = performance.now() + FRESH_MS;
      return cell.options;
    })
    .finally(() => {
      cell.asking = undefined;
    });
  return cell.asking;
}

function isSame(one: Place, other: Place): boolean {
  if (one.address !== other.address) return false;
  const [{ tls, header }, before] = [one.reach ?? {}, other.reach ?? {}];
  return (
    tls?.serverName === before.tls?.serverName &&
    tls?.ca === before.tls?.ca &&
    header?.name === before.header?.name &&
    header?.value === before.header?.value
  );
}

function forwardOptions({ address, reach }: Place, baggage: string): ForwardOptions | undefined {
  const target = parseAddress(address);
  if (!target || !reach) return target && { target, baggage };
  const { tls, header } = reach;
  return {
    target: tls ? { ...target, protocol: "https:" } : target,
    baggage,
    // A visitor's own header of that name is overwritten by it.
    ...(header && { headers: { [header.name]: header.value } }),
    ...(tls && {
      // The library writes into what it is given, so that each request needs one of its own.
      get ssl() {
        // An address is no name to ask for; it is checked as the host that was dialed.
        return { servername: isIP(tls.serverName) === 0 ? tls.serverName : "", ...(tls.ca && { ca: tls.ca }) };
      },
    }),
  };
}

/** `host:port` or `[v6]:port`; undefined when it is neither. */
export function parseAddress(address: string): ForwardOptions["target"] | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host && port >= 1 && port <= 65_535 ? { protocol: "http:", host, port } : undefined;
}
