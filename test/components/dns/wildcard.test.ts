import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { wildcardDns } from "../../../components/dns/wildcard.ts";
import { parseOperator } from "../../../service/config/operator.ts";
import { type DnsServer, startDnsServer } from "../../support/dns-server.ts";

const servers: DnsServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function check(domain: string, addressOf: (name: string) => string | undefined) {
  const server = await startDnsServer(addressOf);
  servers.push(server);
  const [finding] = (await wildcardDns.operations.check?.({ domain, nameservers: [server.address] })) ?? [];
  return { finding, asked: server.asked };
}

describe("the wildcard name", () => {
  it("is found well, with where it leads, when any host below the domain resolves", async () => {
    const { finding, asked } = await check("preview.acme.dev", (name) =>
      name.endsWith(".preview.acme.dev") ? "192.0.2.7" : undefined,
    );
    assert.deepEqual(finding, { ok: true, what: 'the wildcard name "*.preview.acme.dev" leads to 192.0.2.7' });
    assert.match(asked[0] ?? "", /^stackling-[0-9a-f]{12}\.preview\.acme\.dev$/);
  });

  it("is missed, with the record to add, when only the domain itself resolves", async () => {
    const { finding } = await check("preview.acme.dev", (name) =>
      name === "preview.acme.dev" ? "192.0.2.7" : undefined,
    );
    assert.equal(finding?.ok, false);
    assert.match(finding?.remedy ?? "", /add a record "\*\.preview\.acme\.dev"/);
  });

  it("is not looked up when the domain is this machine's own", async () => {
    const { finding, asked } = await check("localhost:4000", () => undefined);
    assert.equal(finding?.ok, true);
    assert.deepEqual(asked, []);
  });

  it("is that of the service's own address when the config does not name a domain", async () => {
    const text =
      "url: https://preview.acme.dev:8443\ntargets: {t: {database: false, dns: wildcard}}\nrepositories: [{path: acme/shop}]\n";
    const config = await parseOperator(text, { file: "s.yaml", directory: "/etc", dataDir: "/var/lib/stackling" });
    assert.deepEqual(config.targets[0]?.dns, { driver: "wildcard", options: { domain: "preview.acme.dev" } });
  });
});
