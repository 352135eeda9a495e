/** A container's environment: what is public in a ConfigMap, what is secret in a Secret or left where it lies. */

import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import type * as input from "@pulumi/kubernetes/types/input.js";
import { type CustomResourceOptions, type Input, type Output, type Resource, unsecret } from "@pulumi/pulumi";
import { TerminalError } from "../errors.ts";
import type { SecretLocation } from "../ports.ts";
import { type ReferenceValues, referencesIn, resolveEnvironment } from "../service/references.ts";
import { hash } from "./names.ts";

export interface EnvironmentDefinition {
  /** Of the service or task. */
  readonly name: string;
  readonly namespace: string;
  /** As declared, with references. */
  readonly environment: Readonly<Record<string, string>>;
  /** Public URLs and private addresses. */
  readonly open: Pick<ReferenceValues, "urls" | "addresses">;
  /** Database URL and secrets. Secret. */
  readonly hidden: Output<Pick<ReferenceValues, "databaseUrl" | "secrets">>;
  readonly locations: Readonly<Record<string, SecretLocation>>;
  readonly childName: (part: string) => string;
  readonly inside: CustomResourceOptions;
}

export interface DeclaredEnvironment {
  readonly envFrom: Input<input.core.v1.EnvFromSource>[];
  /** Must be there before a pod is. */
  readonly resources: readonly Resource[];
}

type External = Extract<SecretLocation, { kind: "external" }>;

/**
 * Names hold a hash of the content: the version that serves keeps its own when the new one fails, and
 * a change rolls the pods. Throws `TerminalError` (`SpecInvalid`) for a reference that cannot be kept.
 */
export function declareEnvironment(definition: EnvironmentDefinition): DeclaredEnvironment {
  const { name, namespace, environment, open, hidden, childName, inside } = definition;
  const sorted = sortOut(definition);
  const resources: Resource[] = [];
  const envFrom: Input<input.core.v1.EnvFromSource>[] = [];
  if (Object.keys(sorted.open).length > 0) {
    const data = resolveEnvironment({ name, environment: sorted.open }, { ...open, secrets: {} });
    const own = `${name}-env-${digest(data)}`;
    const map = new ConfigMap(childName(name), { metadata: { namespace, name: own }, data, immutable: true }, inside);
    resources.push(map);
    envFrom.push({ configMapRef: { name: own } });
  }
  if (Object.keys(sorted.secret).length > 0) {
    const values = hidden.apply((known) =>
      resolveEnvironment({ name, environment: pick(environment, Object.keys(sorted.secret)) }, { ...open, ...known }),
    );
    // Ten digits of a hash over all of them tell nothing of any one.
    const own = unsecret(values.apply((data) => `${name}-secret-${digest(data)}`));
    const made = new Secret(
      childName(name),
      { metadata: { namespace, name: own }, type: "Opaque", data: values.apply(encode), immutable: true },
      inside,
    );
    resources.push(made);
    envFrom.push({ secretRef: { name: own } });
  }
  for (const { own, spec } of externals(name, sorted.external)) {
    const made = new CustomResource(
      childName(own),
      { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", metadata: { namespace, name: own }, spec },
      inside,
    );
    resources.push(made);
    envFrom.push({ secretRef: { name: own } });
  }
  return { envFrom, resources };
}

interface Sorted {
  readonly open: Record<string, string>;
  readonly secret: Record<string, string>;
  readonly external: Record<string, External>;
}

function sortOut({ name, environment, locations }: EnvironmentDefinition): Sorted {
  const sorted: Sorted = { open: {}, secret: {}, external: {} };
  for (const [key, template] of Object.entries(environment)) {
    const references = referencesIn(template);
    const secrets = references.flatMap((reference) => /^secrets\.(.+)$/.exec(reference)?.[1] ?? []);
    const outside = secrets.find((secret) => locations[secret]?.kind === "external");
    if (outside !== undefined) {
      const location = locations[outside];
      if (location?.kind !== "external") continue;
      if (template !== `\${secrets.${outside}}`) throw inLongerText(name, key, outside);
      sorted.external[key] = location;
    } else if (secrets.length > 0 || references.includes("database.url")) sorted.secret[key] = template;
    else sorted.open[key] = template;
  }
  return sorted;
}

/** One per store, because a resource of that kind reads one store. */
function externals(name: string, external: Readonly<Record<string, External>>) {
  const stores = Map.groupBy(Object.entries(external), ([, { storeKind, store }]) => `${storeKind}/${store}`);
  return [...stores.values()].flatMap((entries) => {
    const [first] = entries;
    if (!first) return [];
    const [, { store, storeKind }] = first;
    const data = entries.map(([secretKey, { key, property }]) => ({
      secretKey,
      remoteRef: { key, ...(property !== undefined && { property }) },
    }));
    const own = `${name}-external-${digest({ store, storeKind, data })}`;
    const spec = {
      refreshInterval: "1h",
      secretStoreRef: { name: store, kind: storeKind },
      target: { name: own, creationPolicy: "Owner" },
      data,
    };
    return [{ own, spec }];
  });
}

function pick(record: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]]])));
}

function encode(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));
}

function digest(data: object): string {
  return hash(JSON.stringify(data));
}

function inLongerText(service: string, key: string, secret: string): TerminalError {
  return new TerminalError({
    reason: "SpecInvalid",
    userMessage: `setting ${key} of service "${service}": secret "${secret}" lies in a store that only the cluster reads, so it must be the whole value: "\${secrets.${secret}}"`,
  });
}
