/** Puts together what the program needs to build one preview. Pure. */
import type { ServiceDefinition } from "../components/ports.ts";
import { referencesIn } from "../components/service/references.ts";
import { formatKey, hostName, type PreviewKey, stackName } from "../infra/names.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { ApplicationDatabase } from "./config/application-database.ts";
import type { ApplicationConfig } from "./config/application-types.ts";
import { egressOf } from "./config/egress.ts";
import { emulatorName } from "./config/emulators.ts";
import { secretsOfPart } from "./config/own-parts.ts";
import type { RepositoryConfig } from "./config/repository-types.ts";
import type { OperatorConfig, TargetConfig } from "./config/types.ts";
import { flagsInEffect } from "./flags.ts";
import { APP_CALLBACK_PATH } from "./gateway/access/own-paths.ts";
import { imageOf } from "./images/reference.ts";
import type { Intents } from "./intents.ts";
import { sourcesOf, withoutSubmodules } from "./linked/spec.ts";
import { scenarioFor } from "./scenarios.ts";
import { after } from "./times.ts";

/** Where a web service in an image listens unless it says otherwise; `PORT` holds it. */
const PORT_IN_IMAGE = 8080;

export interface SpecInput {
  readonly config: Pick<OperatorConfig, "domain" | "scheme" | "egress">;
  readonly repository: RepositoryConfig;
  readonly target: TargetConfig;
  readonly application: ApplicationConfig;
  readonly key: PreviewKey;
  readonly gitBranch: string;
  readonly commit: string;
  /** Where the commit is fetched from; without credentials. */
  readonly cloneUrl: string;
  /** Author of the pull request, or who asked for the preview by hand. */
  readonly owner: string;
  /** ISO 8601 */
  readonly createdAt: string;
  readonly intents: Pick<
    Intents,
    "generations" | "keep" | "extendedTo" | "flags" | "seeds" | "approved" | "approvals" | "rolledBack" | "promoted"
  >;
  /** Of the pull request. */
  readonly labels?: readonly string[];
  /** Seconds after its creation at which the preview goes, unless it is kept or extended; undefined: never. */
  readonly hardStopSeconds?: number;
  /** Tags of the running stack: they never change while it lives. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Public key by which the application knows who is logged in by us. */
  readonly loginKey?: string;
  /** Of an approved pull request of a fork or an outsider: it gets nothing that is the operator's. */
  readonly untrusted?: { readonly isolated: boolean };
}

/** The spec; the head of the pull request decides `source.commit` and nothing else. */
export function buildSpec(wish: SpecInput): PreviewSpec {
  const input = wish.untrusted ? withoutGrants(wish) : wish;
  const { repository, target, application, key } = input;
  return {
    version: 1,
    stack: stackName(key),
    key: formatKey(key),
    repository: repository.name,
    ...("number" in key ? { number: key.number } : {}),
    gitBranch: input.gitBranch,
    urls: buildUrls(input),
    source: {
      repository: input.cloneUrl,
      commit: input.commit,
      submodules: application.submodules,
      lfs: application.lfs,
      install: [...application.install],
      build: [...application.build],
    },
    ...sourcesOf(application),
    target: {
      name: target.name,
      service: copyChoice(target.service),
      ...(target.database && application.database ? { database: copyChoice(target.database) } : {}),
      dns: copyChoice(target.dns),
      secrets: copyChoice(target.secrets),
      ...backingUsed(input),
      ...(target.program !== undefined ? { program: target.program } : {}),
    },
    services: application.services.map((service) => buildService(service, input)),
    ...(target.runs === "images" ? { images: {} } : {}),
    ...(application.database ? { database: databaseOf(application.database, input) } : {}),
    ...flagsOf(input),
    ...inboxesOf(input),
    ...accessOf(application),
    ...egressOf(input),
    ...bannerOf(application),
    ...loginOf(input),
    ...(application.checks ? { checks: structuredClone(application.checks) } : {}),
    ...relayOf(input),
    ...(application.fromHead ? { fromHead: [...application.fromHead] } : {}),
    ...partsOf(application),
    generatedSecrets: [...application.generatedSecrets],
    grantedSecrets: [...application.grantedSecrets],
    generations: { ...input.intents.generations },
    ...(input.untrusted ? { untrusted: { ...input.untrusted } } : {}),
    ...echoOf(input.intents),
    tags: { ...(input.tags ?? buildTags(input)) },
  };
}

/** What a push does to it is in the generations. */
function databaseOf(
  { onPush: _wished, from: source, scenario: usual, scenarios, ...database }: ApplicationDatabase,
  { repository, target, labels = [], intents: { seeds } }: SpecInput,
): PreviewSpec["database"] {
  const { sharesDatabase: shared } = target;
  const baseline = source ?? repository.baseline;
  const from = { ...(baseline ? { baseline } : {}), ...(shared ? { shared } : {}), ...database };
  // On a database of many nobody chooses.
  const said = shared ? { labels: [], seeds: undefined } : { labels, seeds };
  const chosen = scenarioFor({ scenario: usual, scenarios }, { ...said, live: undefined });
  if (!chosen || !scenarios) return from;
  const { seed: _other, ...others } = from;
  const { scenario } = chosen;
  const seed = scenarios[scenario];
  return { ...others, ...(seed ? { seed: { ...seed } } : {}), scenario, scenarios: Object.keys(scenarios) };
}

/** Nothing, most of the time. */
function echoOf({
  keep,
  extendedTo,
  flags,
  seeds: { said } = {},
  approved,
  approvals,
  rolledBack,
  promoted,
}: SpecInput["intents"]): Pick<PreviewSpec, "intents"> {
  const wished = [extendedTo, flags, said, approved, approvals, rolledBack, promoted];
  if (!keep && wished.every((one) => one === undefined)) return {};
  return {
    intents: {
      keep,
      ...(extendedTo === undefined ? {} : { extendedTo }),
      ...(flags === undefined ? {} : { flags: { ...flags } }),
      ...(said === undefined ? {} : { seeds: { said } }),
      ...(approved === undefined ? {} : { approved: { ...approved } }),
      ...(approvals === undefined ? {} : { approvals: approvals.map((one) => ({ ...one })) }),
      ...(rolledBack === undefined ? {} : { rolledBack: { ...rolledBack } }),
      ...(promoted === undefined ? {} : { promoted: copyPromoted(promoted) }),
    },
  };
}

function copyPromoted({ approvals, images, sources, ...rest }: NonNullable<SpecInput["intents"]["promoted"]>) {
  const held = { ...(images ? { images: { ...images } } : {}), ...(sources ? { sources: { ...sources } } : {}) };
  return { ...rest, ...held, approvals: approvals.map((one) => ({ ...one })) };
}

function flagsOf({ application, intents, labels = [] }: SpecInput): Pick<PreviewSpec, "flags"> {
  if (!application.flags) return {};
  const flags = flagsInEffect(application.flags, { labels, said: intents.flags ?? {} });
  const copied = Object.entries(flags).map(([name, { values, ...flag }]) => [
    name,
    { ...flag, ...(values ? { values: [...values] } : {}) },
  ]);
  return { flags: Object.fromEntries(copied) };
}

/**
 * What a stranger's commit is given: no secret of the operator's (a variable that would hold one is left out), the
 * baseline that was meant for strangers or none, and no submodules, for those it names itself and the operator's
 * credentials would fetch them.
 */
function withoutGrants({ application, repository, ...input }: SpecInput): SpecInput {
  const { baseline: _theirs, ...rest } = repository;
  const { from: _chosen, ...database } = application.database ?? {};
  const baseline = repository.untrusted?.baseline;
  const parts = (application.external ?? []).flatMap(({ name, own }) => (own ? secretsOfPart(name, own) : []));
  const granted = new Set([...application.grantedSecrets, ...parts].map((name) => `secrets.${name}`));
  const isFree = (value: string) => !referencesIn(value).some((reference) => granted.has(reference));
  const services = application.services.map((service) => ({
    ...service,
    environment: Object.fromEntries(Object.entries(service.environment).filter(([, value]) => isFree(value))),
  }));
  return {
    ...input,
    repository: { ...rest, ...(baseline === undefined ? {} : { baseline }) },
    application: {
      ...application,
      ...withoutParts(application),
      ...(application.database ? { database } : {}),
      services,
      grantedSecrets: [],
      submodules: false,
      ...(application.sources ? { sources: withoutSubmodules(application.sources) } : {}),
    },
  };
}

/** Servers that previews share are no place for strangers. */
function withoutParts({ external }: ApplicationConfig): Pick<ApplicationConfig, "external"> {
  return external ? { external: external.filter(({ own }) => !own) } : {};
}

/** Its parts of servers that previews share. */
function partsOf({ external = [] }: ApplicationConfig): Pick<PreviewSpec, "backing"> {
  const parts = external.flatMap(({ name, own }) => (own ? [{ name, from: own.from, topics: [...own.topics] }] : []));
  return parts.length > 0 ? { backing: Object.fromEntries(parts.map(({ name, ...part }) => [name, part])) } : {};
}

/** Of the target's, those that a part is wanted of. */
function backingUsed({ application, target }: SpecInput): Pick<PreviewSpec["target"], "backing"> {
  const from = new Set((application.external ?? []).flatMap(({ own }) => own?.from ?? []));
  const used = Object.entries(target.backing ?? {}).filter(([name]) => from.has(name));
  if (used.length === 0) return {};
  return { backing: Object.fromEntries(used.map(([name, choice]) => [name, copyChoice(choice)])) };
}

function buildService(
  { ports, ...service }: ServiceDefinition,
  { target, application, commit: own }: SpecInput,
): PreviewSpec["services"][number] {
  const inImage = target.runs === "images";
  const commit = application.sources?.[service.source ?? ""]?.commit ?? own;
  const atCommit = <T extends { readonly image?: string }>(part: T): T =>
    part.image === undefined ? part : { ...part, image: imageOf(part.image, commit) };
  return {
    ...atCommit(service),
    // There nothing chooses a port for it: the network is its own.
    ...(inImage && service.kind === "web" ? { port: service.port ?? PORT_IN_IMAGE } : {}),
    ...(ports ? { ports: [...ports] } : {}),
    environment: { ...service.environment },
    dependsOn: [...service.dependsOn],
    sidecars: service.sidecars.map(atCommit),
  };
}

function inboxesOf(input: SpecInput): Pick<PreviewSpec, "inboxes"> {
  const urls = buildUrls(input);
  const inboxes = (input.application.external ?? []).flatMap(({ name, inbox }) => {
    const url = urls[emulatorName(name)];
    return inbox === undefined || url === undefined ? [] : [[name, `${url}${inbox}`] as const];
  });
  return inboxes.length > 0 ? { inboxes: Object.fromEntries(inboxes) } : {};
}

function accessOf({ access }: ApplicationConfig): Pick<PreviewSpec, "access"> {
  if (!access) return {};
  const { ip, shareLinks } = access;
  return { access: { ...(ip ? { ip: [...ip] } : {}), ...(shareLinks === undefined ? {} : { shareLinks }) } };
}

function bannerOf({ banner }: ApplicationConfig): Pick<PreviewSpec, "banner"> {
  if (banner === undefined) return {};
  return { banner: typeof banner === "boolean" ? banner : { off: [...banner.off] } };
}

function loginOf({ application: { login }, loginKey }: SpecInput): Pick<PreviewSpec, "login"> {
  if (!login) return {};
  const users = login.users.map((user) => ({ ...user }));
  return { login: { path: login.path, users, ...(loginKey === undefined ? {} : { key: loginKey }) } };
}

/** Nothing of a stranger's: codes of others' logins are not for it. */
function relayOf({ repository, config, untrusted }: SpecInput): Pick<PreviewSpec, "oauthCallback"> {
  if (!repository.oauthRelay || untrusted) return {};
  return { oauthCallback: `${config.scheme}://${config.domain}${APP_CALLBACK_PATH}` };
}

function buildUrls({ application, config, key }: SpecInput): Record<string, string> {
  const web = application.services.filter((service) => service.kind === "web");
  return Object.fromEntries(
    web.map(({ name }) => {
      const host = hostName(key, config.domain, name === application.main ? undefined : name);
      return [name, `${config.scheme}://${host}`];
    }),
  );
}

function buildTags({ repository, key, owner, createdAt, hardStopSeconds }: SpecInput): Record<string, string> {
  return {
    ...repository.tags,
    preview: formatKey(key),
    repository: repository.name,
    ...("number" in key ? { "pull-request": String(key.number) } : {}),
    owner,
    ...(repository.team ? { team: repository.team } : {}),
    ...(repository.costCenter ? { "cost-center": repository.costCenter } : {}),
    created: createdAt,
    ...(hardStopSeconds === undefined ? {} : { "hard-stop": after(createdAt, hardStopSeconds * 1000) }),
  };
}

function copyChoice(choice: TargetConfig["service"]): PreviewSpec["target"]["service"] {
  return { driver: choice.driver, options: { ...choice.options } };
}
