/** A preview's part of a Kafka cluster: a SCRAM user whose ACLs reach the topics, groups and transactions of one prefix. */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import {
  type Acl,
  AclOperations,
  AclPermissionTypes,
  Admin,
  AuthenticationError,
  alterUserScramCredentialsV0,
  describeUserScramCredentialsV0,
  MultipleErrors,
  ResourcePatternTypes,
  ResourceTypes,
} from "@platformatic/kafka";
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError } from "../errors.ts";
import { type BackingKind, type Grantee, loginOf, stackOfLogin } from "../local/backing-kind.ts";
import type { Finding } from "../operations.ts";

/** Number of each mechanism in the protocol: KIP-554. */
const MECHANISMS = { "SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2 } as const;
const HASHES = { "SCRAM-SHA-256": ["sha256", 32], "SCRAM-SHA-512": ["sha512", 64] } as const;
/** The least that brokers take; the password is random, so that more would add nothing. */
const ITERATIONS = 4096;

export const kafkaOptions = z.strictObject({
  brokers: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, "must be host:port"))
    .min(1, "must hold a broker")
    .describe("Where the cluster is asked first, as `host:port`; previews get the same."),
  tls: z.boolean().default(true).describe("Whether the brokers are dialed by TLS."),
  username: z.string().min(1).describe("User that may make SCRAM users, ACLs and topics."),
  password: credential.describe("Where its password is."),
  mechanism: z
    .enum(["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"])
    .default("SCRAM-SHA-512")
    .describe("How that user logs in."),
  previews: z
    .enum(["SCRAM-SHA-256", "SCRAM-SHA-512"])
    .default("SCRAM-SHA-512")
    .describe("How previews' own users log in."),
  partitions: z.int().min(1).max(100).default(1).describe("Of each topic that is made for a preview."),
  replicas: z.int().min(1).max(9).default(1).describe("Copies of each of them."),
});

export type KafkaOptions = z.infer<typeof kafkaOptions>;

export const kafkaPart: BackingKind<KafkaOptions> = {
  async grant(options, grantee) {
    const { stack, password, topics } = grantee;
    const addresses = await connected(options, `giving "${stack}" its part of Kafka`, async (admin) => {
      const acls = aclsOf(stack);
      const found = (await rightsOf(admin, stack)).map(textOf);
      // Rights that somebody added are none that we gave.
      if (found.some((text) => !acls.map(textOf).includes(text))) await dropRights(admin, stack);
      await admin.createAcls({ creations: [...acls] });
      await createTopics(admin, options, { stack, topics });
      await putUser(admin, options, grantee);
      // Clients are led on to those that the cluster names, which need not be those that are asked first.
      const { brokers } = await admin.metadata({ forceUpdate: true });
      return [...brokers.values()].map(({ host, port }) => `${host}:${port}`);
    });
    const values = {
      brokers: options.brokers.join(","),
      username: loginOf(stack),
      password,
      mechanism: options.previews,
      protocol: options.tls ? "SASL_SSL" : "SASL_PLAINTEXT",
      prefix: prefixOf(stack),
    };
    return { values, addresses: [...new Set([...options.brokers, ...addresses])].sort() };
  },

  holds: (options, stack) =>
    connected(options, `looking for the part of "${stack}"`, async (admin) => {
      const [found, wanted] = [(await rightsOf(admin, stack)).map(textOf).sort(), aclsOf(stack).map(textOf).sort()];
      return found.join() === wanted.join() && (await hasUser(admin, stack));
    }),

  async revoke(options, stack) {
    await connected(options, `taking the part of "${stack}" back`, async (admin) => {
      await dropUser(admin, stack);
      await dropRights(admin, stack);
      const { topics, groups } = await below(admin, stack);
      if (groups.length > 0) await admin.deleteGroups({ groups });
      if (topics.length > 0) await admin.deleteTopics({ topics });
    });
  },

  list: (options, stack) =>
    connected(options, "listing previews' parts of Kafka", async (admin) => {
      const rights = (await stacksWithRights(admin, stack)).map((owner) => ({
        kind: "kafka ACLs",
        id: principalOf(owner),
        stack: owner,
      }));
      // A user is made behind its rights and goes before them.
      if (stack === undefined) return rights;
      const { topics, groups } = await below(admin, stack);
      return [
        ...((await hasUser(admin, stack)) ? [{ kind: "kafka user", id: loginOf(stack), stack }] : []),
        ...rights,
        ...groups.map((id) => ({ kind: "kafka group", id, stack })),
        ...topics.map((id) => ({ kind: "kafka topic", id, stack })),
      ];
    }),
};

export const kafkaKinds = ["kafka user", "kafka ACLs", "kafka group", "kafka topic"];

export async function checkKafka(options: KafkaOptions): Promise<readonly Finding[]> {
  const what = `Kafka at ${options.brokers[0]}`;
  await connected(options, `asking ${what}`, async (admin) => {
    await hasUser(admin, "nobody");
    await stacksWithRights(admin, undefined);
  });
  return [{ ok: true, what: `${what} answers, and its administrator may see users and ACLs` }];
}

/** What a preview may do, whole: below its prefix all that an application does, and nothing of the cluster's. */
function aclsOf(stack: string): readonly Acl[] {
  const { ALL: _all, ...may } = AclOperations;
  const on = (resourceType: Acl["resourceType"], operations: readonly Acl["operation"][]): Acl[] =>
    operations.map((operation) => ({
      resourceType,
      resourceName: prefixOf(stack),
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: principalOf(stack),
      host: "*",
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    }));
  return [
    ...on(ResourceTypes.TOPIC, [may.READ, may.WRITE, may.CREATE, may.DELETE, may.DESCRIBE, may.DESCRIBE_CONFIGS]),
    ...on(ResourceTypes.GROUP, [may.READ, may.DESCRIBE, may.DELETE]),
    ...on(ResourceTypes.TRANSACTIONAL_ID, [may.WRITE, may.DESCRIBE]),
  ];
}

function textOf({ resourceType, resourceName, resourcePatternType, host, operation, permissionType }: Acl): string {
  return [resourceType, resourceName, resourcePatternType, host, operation, permissionType].join(" ");
}

/** No name of a stack holds a dot, so that none is the start of another. */
function prefixOf(stack: string): string {
  return `${stack}.`;
}

function principalOf(stack: string): string {
  return `User:${loginOf(stack)}`;
}

/** Everything of one principal, or of any. */
function filterOf(stack: string | undefined) {
  return {
    resourceType: ResourceTypes.ANY,
    resourceName: null,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: stack === undefined ? null : principalOf(stack),
    host: null,
    operation: AclOperations.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
}

async function rightsOf(admin: Admin, stack: string): Promise<readonly Acl[]> {
  const resources = await admin.describeAcls({ filter: filterOf(stack) });
  return resources.flatMap(({ acls, ...target }) => acls.map((acl) => ({ ...target, ...acl })));
}

async function stacksWithRights(admin: Admin, stack: string | undefined): Promise<readonly string[]> {
  const resources = await admin.describeAcls({ filter: filterOf(stack) });
  const principals = resources.flatMap(({ acls }) => acls.map(({ principal }) => principal));
  const stacks = principals.flatMap((name) => stackOfLogin(name.replace(/^User:/, "")) ?? []);
  return [...new Set(stacks)].sort();
}

async function dropRights(admin: Admin, stack: string): Promise<void> {
  await admin.deleteAcls({ filters: [filterOf(stack)] });
}

async function below(admin: Admin, stack: string) {
  const prefix = prefixOf(stack);
  const [topics, groups] = await Promise.all([admin.listTopics(), admin.listGroups()]);
  return {
    topics: topics.filter((name) => name.startsWith(prefix)).sort(),
    groups: [...groups.keys()].filter((name) => name.startsWith(prefix)).sort(),
  };
}

async function createTopics(
  admin: Admin,
  { partitions, replicas }: KafkaOptions,
  { stack, topics }: Pick<Grantee, "stack" | "topics">,
): Promise<void> {
  const there = await admin.listTopics();
  const missing = topics.map((name) => `${prefixOf(stack)}${name}`).filter((name) => !there.includes(name));
  if (missing.length > 0) await admin.createTopics({ topics: missing, partitions, replicas });
}

async function putUser(admin: Admin, { previews }: KafkaOptions, { stack, password }: Grantee): Promise<void> {
  const [hash, length] = HASHES[previews];
  const salt = randomBytes(24);
  const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, length, hash);
  const [name, mechanism] = [loginOf(stack), MECHANISMS[previews]];
  const user = { name, mechanism, iterations: ITERATIONS, salt, saltedPassword };
  await alterUserScramCredentialsV0.api.async(await controllerOf(admin), [], [user]);
  await dropUser(admin, stack, mechanism);
}

/** However it logs in, or logged in before somebody changed `previews`, but for `kept`. */
async function dropUser(admin: Admin, stack: string, kept?: number): Promise<void> {
  const mechanisms = (await mechanismsOf(admin, stack)).filter((mechanism) => mechanism !== kept);
  if (mechanisms.length === 0) return;
  const old = mechanisms.map((mechanism) => ({ name: loginOf(stack), mechanism }));
  await alterUserScramCredentialsV0.api.async(await controllerOf(admin), old, []);
}

async function hasUser(admin: Admin, stack: string): Promise<boolean> {
  return (await mechanismsOf(admin, stack)).length > 0;
}

/** By which a preview's user may log in; none where there is no such user. */
async function mechanismsOf(admin: Admin, stack: string) {
  const name = loginOf(stack);
  try {
    const { results } = await describeUserScramCredentialsV0.api.async(await controllerOf(admin), [{ name }]);
    const found = results.filter(({ user }) => user === name).flatMap(({ credentialInfos }) => credentialInfos);
    return found.map(({ mechanism }) => mechanism);
  } catch (error) {
    if (error instanceof Error && apiErrors(error).includes("RESOURCE_NOT_FOUND")) return [];
    throw error;
  }
}

/** Users are its business. */
async function controllerOf(admin: Admin) {
  const { controllerId } = await admin.metadata({ forceUpdate: true });
  const connection = (await admin.connectToBrokers([controllerId])).get(controllerId);
  if (connection) return connection;
  throw new StacklingError({ reason: "TargetUnreachable", userMessage: "reaching Kafka: it names no controller" });
}

async function connected<T>(options: KafkaOptions, action: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const { brokers, tls, username, mechanism } = options;
  const password = await readCredential(options.password, "the password of Kafka's administrator");
  const admin = new Admin({
    clientId: "stackling",
    bootstrapBrokers: [...brokers],
    sasl: { mechanism, username, password },
    ...(tls ? { tls: {} } : {}),
    connectTimeout: 5_000,
    requestTimeout: 15_000,
    // Enough to find a controller that moved.
    retries: 3,
    retryDelay: 200,
  });
  try {
    return await work(admin);
  } catch (error) {
    throw inWords(error, action);
  } finally {
    await admin.close();
  }
}

function inWords(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || error instanceof StacklingError) return error;
  const told = apiErrors(error);
  if (told.some((id) => /AUTHORIZATION_FAILED|SASL_AUTHENTICATION_FAILED/.test(id)) || isRefusedLogin(error)) {
    const userMessage = `${action}: Kafka refuses its administrator, who must be allowed to alter the cluster`;
    return new StacklingError({ reason: "TargetForbidden", userMessage, cause: error });
  }
  if (told.length > 0) {
    const userMessage = `${action}: Kafka says ${[...new Set(told)].join(", ")}`;
    return new StacklingError({ reason: "TargetInvalid", userMessage, cause: error });
  }
  const userMessage = `${action}: Kafka does not answer, or breaks off its administrator's login`;
  return new StacklingError({ reason: "TargetUnreachable", userMessage, cause: error });
}

function isRefusedLogin(error: Error): boolean {
  return errorsIn(error).some((one) => one instanceof AuthenticationError);
}

/** Names of the protocol's errors that brokers answered with. */
function apiErrors(error: Error): readonly string[] {
  return errorsIn(error).flatMap((one) => ("apiId" in one && typeof one.apiId === "string" ? [one.apiId] : []));
}

function errorsIn(error: Error): readonly Error[] {
  const inner = [...(error instanceof MultipleErrors ? error.errors : []), error.cause];
  return [error, ...inner.flatMap((one) => (one instanceof Error ? errorsIn(one) : []))];
}
