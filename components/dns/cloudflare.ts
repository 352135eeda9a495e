/** A DNS record per host at Cloudflare; in wildcard mode one record of the operator's leads all hosts to the gateway. */
import { type ComponentResourceOptions, type Output, output, secret } from "@pulumi/pulumi";
import { z } from "zod";
import {
  clearName,
  deleteRecord,
  findZone,
  ownRecords,
  recordsAt,
  type ZoneSettings,
  zoneIdOf,
} from "../cloudflare/records.ts";
import { DnsRecord, Provider } from "../cloudflare/resources.ts";
import { beforeCreate } from "../creation-hook.ts";
import { credential, engineVariable, readCredential } from "../credential.ts";
import { StacklingError, toldToEngine } from "../errors.ts";
import type { DnsArgs, DnsComponent, DnsDriver, Finding, TargetChoice } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";
import { hostWithoutPort, recordTarget, recordType } from "./record.ts";
import { RoutedHost } from "./routed-host.ts";

const options = z.strictObject({
  zone: z.string().min(1).describe("Zone by name (`acme.dev`) or id."),
  apiToken: credential.describe("Where the API token lies. It needs Zone Read and DNS Edit on this zone."),
  mode: z
    .enum(["records", "wildcard"])
    .default("records")
    .describe(
      "`records`: one per host. `wildcard`: nothing per preview; `*.DOMAIN` was made once and leads to the gateway.",
    ),
  target: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Name or IP address of the gateway, to which records lead. Not needed where previews are at the edge themselves.",
    ),
  domain: z.string().min(1).optional().describe("Domain under which the previews' hosts lie. Default: that of `url`."),
  proxied: z
    .boolean()
    .default(false)
    .describe("Requests go through Cloudflare, which needs a certificate of its own for the domain."),
  ttl: z
    .union([z.literal(1), z.int().min(30).max(86_400)])
    .default(1)
    .describe("Seconds that resolvers keep a record; 1 is automatic (and the only one for proxied records)."),
  apiUrl: z.url().default("https://api.cloudflare.com/client/v4").describe("Where the API answers."),
});

type Options = z.infer<typeof options>;
type Args = DnsArgs<Options>;

class CloudflareDns extends PreviewComponent implements DnsComponent {
  readonly hosts: Output<readonly string[]>;

  constructor(name: string, args: Args, opts?: ComponentResourceOptions) {
    super("stackling:dns:Cloudflare", name, {}, opts);
    const hosts = args.options.mode === "wildcard" ? this.#wildcard(args) : this.#records(args);
    this.hosts = output(hosts);
    this.registerOutputs({ hosts: this.hosts });
  }

  #wildcard(args: Args): Output<string>[] {
    return args.routes.map(({ host, service }) => new RoutedHost(this.childName(service), host, { parent: this }).host);
  }

  #records({ stack, options: given, routes }: Args): Output<string>[] {
    const { proxied, ttl } = given;
    const settings = toldToEngine(() => withZoneId(given));
    const provider = this.#provider(given, settings);
    const zoneId = settings.then(({ zone }) => zone);
    return routes.map((route) => {
      const host = hostWithoutPort(route.host);
      const content = recordTarget(route, given.target);
      const record = new DnsRecord(
        this.childName(route.service),
        { zoneId, name: host, type: content.apply(recordType), content, proxied, ttl: proxied ? 1 : ttl },
        { parent: this, provider, ...beforeCreate(async () => clearName(await settings, host, stack)) },
      );
      return record.urn.apply(() => route.host);
    });
  }

  #provider({ apiToken, apiUrl: baseUrl }: Options, settings: Promise<ZoneSettings>): Provider {
    const name = this.childName("provider");
    const variable = engineVariable(apiToken);
    if (variable !== undefined) {
      const envVarMappings = { [variable]: "CLOUDFLARE_API_TOKEN" };
      return new Provider(name, { baseUrl }, { parent: this, envVarMappings });
    }
    const token = secret(settings.then((known) => known.token));
    return new Provider(name, { apiToken: token, baseUrl }, { parent: this });
  }
}

export const cloudflareDns: DnsDriver<Options> = {
  options,
  component: CloudflareDns,
  plugins: ["@pulumi/cloudflare"],
  operations: {
    kinds: ["dns record"],
    async owned(given, stack) {
      const found = await ownRecords(await withZoneId(given), stack);
      return found
        .filter(({ name }) => isBelow(name, given.domain))
        .map((record) => ({ kind: "dns record", id: record.name, stack: record.stack }));
    },
    async remove(given, thing) {
      const settings = await withZoneId(given);
      for (const record of await ownRecords(settings, thing.stack)) {
        if (record.name === thing.id) await deleteRecord(settings, record);
      }
    },
    check,
  },
  refuses,
  example: () => ({
    options: {
      zone: "023e105f4ecef8ad9ca31a8372d0c353",
      apiToken: { env: "CLOUDFLARE_API_TOKEN" },
      mode: "records",
      target: "gateway.example.dev",
      proxied: false,
      ttl: 60,
      apiUrl: "https://api.cloudflare.com/client/v4",
    },
    routes: [{ host: "pr-1-example.preview.example.dev", service: "web", address: "10.0.0.7:3000" }],
  }),
};

function refuses({ service, dns }: TargetChoice): string | undefined {
  const { mode, target } = dns.options;
  const { edge } = service.options;
  const direct = edge !== undefined && edge !== "gateway";
  if (mode === "records" && target === undefined && !direct) {
    return 'records need a "target": the name or IP address of the gateway';
  }
  return undefined;
}

async function check(given: Options): Promise<readonly Finding[]> {
  try {
    const settings = await settingsOf(given);
    const zone = await findZone(settings);
    const what = `Cloudflare zone "${zone.name}"`;
    if (zone.status !== undefined && zone.status !== "active") {
      const remedy = "point the domain's name servers to Cloudflare";
      return [{ ok: false, what: `${what} is ${zone.status}`, remedy }];
    }
    if (given.mode === "wildcard")
      return [{ ok: true, what }, await checkWildcard(settings, given.domain ?? zone.name)];
    await recordsAt({ ...settings, zone: zone.id }, zone.name);
    if (zone.permissions && !zone.permissions.includes("#dns_records:edit")) {
      return [
        { ok: false, what: `${what}: the API token may not edit records`, remedy: "give it DNS Edit on this zone" },
      ];
    }
    return [{ ok: true, what: `${what} is reached` }];
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    return [
      { ok: false, what: error.userMessage, remedy: "correct the options `zone` and `apiToken` of the dns driver" },
    ];
  }
}

async function checkWildcard(settings: ZoneSettings, domain: string): Promise<Finding> {
  const name = `*.${domain}`;
  const [record] = await recordsAt(settings, name);
  if (record) return { ok: true, what: `the record "${name}" leads to ${record.content ?? "somewhere"}` };
  return { ok: false, what: `there is no record "${name}"`, remedy: "add one that leads to the gateway" };
}

async function withZoneId(given: Options): Promise<ZoneSettings> {
  const settings = await settingsOf(given);
  return { ...settings, zone: await zoneIdOf(settings) };
}

async function settingsOf({ zone, apiToken, apiUrl }: Options): Promise<ZoneSettings> {
  return { zone, baseUrl: apiUrl, token: await readCredential(apiToken, "Cloudflare's API token") };
}

/** Two Stacklings may share a zone, each with a domain of its own. */
function isBelow(name: string, domain: string | undefined): boolean {
  return domain === undefined || name.endsWith(`.${hostWithoutPort(domain)}`);
}
