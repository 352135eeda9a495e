/** What is `emulated` in `external` of preview.yaml: which programs play it, where the application finds them, and with what they begin. */
import { z } from "zod";
import type { ServiceDefinition } from "../../components/ports.ts";
import { variableName } from "./scalars.ts";

/** Of the package `emulate`: its README, "Options". */
const PACKAGED = [
  "apple",
  "aws",
  "clerk",
  "github",
  "google",
  "linear",
  "microsoft",
  "mongoatlas",
  "okta",
  "resend",
  "slack",
  "stripe",
  "twilio",
  "vercel",
] as const;

/** Of ours, see components/local/inbox/. */
const INBOXES = ["smtp", "sms", "webhooks"] as const;

const EMULATORS = [...PACKAGED, ...INBOXES] as const;

/** Where people read what was sent. */
const INBOX_PATHS: Readonly<Record<string, string>> = {
  smtp: "/inbox",
  sms: "/inbox",
  webhooks: "/inbox",
  resend: "/inbox",
  twilio: "/",
};

const SEED_BYTES = 64 * 1024;

/** Keys of an entry that only mean something where it is emulated. */
export const emulatedKeys = {
  emulator: z.enum(EMULATORS).optional().describe("What plays it where it is emulated. Default: what has its name."),
  address: z
    .union([
      variableName,
      z.array(variableName).min(1),
      z.strictObject({
        url: variableName.optional().describe("Variable that gets the whole address."),
        host: variableName.optional().describe("Variable that gets its host."),
        port: variableName.optional().describe("Variable that gets its port."),
      }),
    ])
    .optional()
    .describe(
      "Variables that get the emulator's address, such as `http://127.0.0.1:4321`, or of `smtp` `smtp://127.0.0.1:4321`; that one's also apart: `{host: SMTP_HOST, port: SMTP_PORT}`.",
    ),
  seed: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .optional()
    .describe(
      "What an emulator of the package `emulate` holds at first, in its own words: a YAML or JSON file of the commit, or the same right here.",
    ),
};

interface Emulated {
  readonly emulator?: (typeof EMULATORS)[number] | undefined;
  readonly address?: string | readonly string[] | AddressParts | undefined;
  readonly seed?: string | Readonly<Record<string, unknown>> | undefined;
}

interface AddressParts {
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
}

/** Of the service that plays it. */
export function emulatorName(external: string): string {
  return `emulated-${external}`;
}

/** A service of the application's own that plays it. */
export function emulatorService(name: string, { emulator = kindOf(name), seed }: Emulated): ServiceDefinition {
  const own = emulatorName(name);
  const url = `\${services.${own}.url}`;
  const isInbox = isOneOf(INBOXES, emulator);
  return {
    name: own,
    kind: "web",
    command: `exec node "$STACKLING_${isInbox ? "INBOXES" : "EMULATORS"}/main.mjs" ${emulator}`,
    directory: ".",
    startTimeoutSeconds: 60,
    // Links that it gives out are for browsers.
    environment: isInbox ? { INBOX_NAME: name, INBOX_URL: url } : { EMULATE_BASE_URL: url, ...seedVariables(seed) },
    dependsOn: [],
    sidecars: [],
    ...(emulator === "smtp" ? { ports: ["smtp"] } : {}),
    memoryMiB: 256,
    cpu: 0.25,
  };
}

/** Variables that lead the application to it. */
export function addressVariables(name: string, { emulator = kindOf(name), address }: Emulated): Record<string, string> {
  const own = emulatorName(name);
  const smtp = `\${services.${own}.ports.smtp}`;
  const values = {
    url: emulator === "smtp" ? `smtp://127.0.0.1:${smtp}` : `http://\${services.${own}.address}`,
    host: "127.0.0.1",
    port: smtp,
  };
  return Object.fromEntries(addressPairs(address).map(([part, key]) => [key, values[part]]));
}

/** Names of those variables. */
export function addressNames({ address }: Emulated): readonly string[] {
  return addressPairs(address).map(([, key]) => key);
}

/** Path of the page with what was sent to it; undefined where it has none. */
export function inboxPath(name: string, { emulator = kindOf(name) }: Emulated): string | undefined {
  return emulator === undefined ? undefined : INBOX_PATHS[emulator];
}

/** What is wrong with it, each with the key it is about. */
export function emulatedFaults(
  name: string,
  { emulator: typed, address, seed }: Emulated,
  isService: (name: string) => boolean,
): readonly (readonly [key: string, fault: string])[] {
  const emulator = typed ?? kindOf(name);
  const own = emulatorName(name);
  const faults: [string, string][] = [];
  if (emulator === undefined)
    faults.push(["mode", `is emulated by what its "emulator" names, one of ${EMULATORS.join(", ")}`]);
  if (own.length > 30) faults.push(["mode", `is emulated, and its name may then have 21 characters at most`]);
  if (isService(own)) faults.push(["mode", `is emulated by the service "${own}", which bears the name of another`]);
  const apart = addressPairs(address).filter(([part]) => part !== "url");
  if (apart.length > 0 && emulator !== undefined && emulator !== "smtp") {
    faults.push(["address", `has an address that is a URL only; "host" and "port" go with the emulator smtp`]);
  }
  const fault = seed === undefined ? undefined : seedFault(seed, emulator);
  if (fault) faults.push(["seed", fault]);
  return faults;
}

function seedFault(seed: NonNullable<Emulated["seed"]>, emulator: string | undefined): string | undefined {
  if (emulator !== undefined && isOneOf(INBOXES, emulator)) {
    return `is played by ${emulator}, which begins empty; leave "seed" out`;
  }
  if (typeof seed !== "string") {
    const bytes = Buffer.byteLength(JSON.stringify(seed));
    return bytes > SEED_BYTES
      ? `has a "seed" of ${bytes} bytes, and ${SEED_BYTES} are allowed here; put it into a file of the repository`
      : undefined;
  }
  if (/^[/~]|\\|\0/.test(seed) || seed.split("/").includes("..")) {
    return `has the seed "${seed}"; it must be relative to the repository and stay inside`;
  }
  return /\.(ya?ml|json)$/.test(seed) ? undefined : `has the seed "${seed}"; it must be a .yaml, .yml or .json file`;
}

/** Of a file only its name: the process reads it from its commit. Inside, references such as `${services.web.url}` hold. */
function seedVariables(seed: Emulated["seed"]): Record<string, string> {
  if (seed === undefined) return {};
  return typeof seed === "string" ? { EMULATE_SEED_FILE: seed } : { EMULATE_SEED: JSON.stringify(seed) };
}

function addressPairs(address: Emulated["address"] = []): readonly (readonly ["url" | "host" | "port", string])[] {
  if (typeof address === "string") return [["url", address]];
  if (Array.isArray(address)) return address.map((key: string) => ["url", key] as const);
  const { url, host, port } = address as AddressParts;
  return (
    [
      ["url", url],
      ["host", host],
      ["port", port],
    ] as const
  ).flatMap(([part, key]) => (key === undefined ? [] : [[part, key] as const]));
}

/** The emulator that bears the entry's own name. */
function kindOf(name: string): (typeof EMULATORS)[number] | undefined {
  return EMULATORS.find((one) => one === name);
}

function isOneOf(names: readonly string[], name: string | undefined): boolean {
  return name !== undefined && names.includes(name);
}
