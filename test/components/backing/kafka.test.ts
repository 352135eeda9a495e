import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { kafkaOptions, kafkaPart } from "../../../components/kafka/part.ts";
import { type Kafkalab, startKafkalab } from "../../support/kafkalab.ts";
import { requires } from "../../support/requires.ts";

const PASSWORD = "STACKLING_TEST_KAFKA_PASSWORD";
const granted = async (...args: Parameters<typeof kafkaPart.grant>) => (await kafkaPart.grant(...args)).values;
const grantee = (stack: string, password = "word", topics: readonly string[] = []) => ({ stack, password, topics });

describe("a preview's part of Kafka", requires("go"), () => {
  let kafka: Kafkalab;
  let options: ReturnType<typeof kafkaOptions.parse>;
  before(async () => {
    kafka = await startKafkalab();
    process.env[PASSWORD] = kafka.password;
    const { brokers, username } = kafka;
    options = kafkaOptions.parse({ brokers, username, password: { env: PASSWORD }, tls: false });
  });
  after(async () => {
    delete process.env[PASSWORD];
    await kafka?.stop();
  });

  const login = ({ username = "", password = "" }: Readonly<Record<string, string>>) => ({
    clientId: "shop",
    bootstrapBrokers: [...kafka.brokers],
    sasl: { mechanism: "SCRAM-SHA-512" as const, username, password },
  });
  const asPreview = async <T>(values: Readonly<Record<string, string>>, work: (admin: Admin) => Promise<T>) => {
    const admin = new Admin(login(values));
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  };

  it("is these rights and no other", async () => {
    await granted(options, grantee("shop-pr-1"));
    const administrator = { username: kafka.username, password: kafka.password };
    const found = await asPreview(administrator, (admin) =>
      admin.describeAcls({
        filter: {
          resourceType: 1,
          resourceName: null,
          resourcePatternType: 1,
          principal: "User:stackling-shop-pr-1",
          host: null,
          operation: 1,
          permissionType: 1,
        },
      }),
    );
    const [TOPIC, GROUP, TRANSACTIONS, PREFIXED, ALLOW] = [2, 3, 5, 4, 3];
    const [READ, WRITE, CREATE, DELETE, DESCRIBE, DESCRIBE_CONFIGS] = [3, 4, 5, 6, 8, 10];
    const rights = found.map(({ resourceType, resourceName, resourcePatternType, acls }) => {
      for (const { host, permissionType } of acls) assert.deepEqual([host, permissionType], ["*", ALLOW]);
      return [
        resourceType,
        resourceName,
        resourcePatternType,
        acls.map(({ operation }) => operation).sort((a, b) => a - b),
      ];
    });
    assert.deepEqual(rights.sort(), [
      [TOPIC, "shop-pr-1.", PREFIXED, [READ, WRITE, CREATE, DELETE, DESCRIBE, DESCRIBE_CONFIGS]],
      [GROUP, "shop-pr-1.", PREFIXED, [READ, DELETE, DESCRIBE].sort((a, b) => a - b)],
      [TRANSACTIONS, "shop-pr-1.", PREFIXED, [WRITE, DESCRIBE]],
    ]);
    await kafkaPart.revoke(options, "shop-pr-1");
  });

  it("lets it write and read below its prefix, and refuses everything else", async () => {
    const values = await granted(options, grantee("shop-pr-4", "word", ["orders"]));
    await granted(options, grantee("shop-pr-42", "word", ["orders"]));
    const producer = new Producer({ ...login(values), serializers: stringSerializers });
    const consumer = new Consumer({
      ...login(values),
      groupId: "shop-pr-4.mailer",
      deserializers: stringDeserializers,
    });
    try {
      await producer.send({ messages: [{ topic: "shop-pr-4.orders", key: "1", value: "a cup" }] });
      const stream = await consumer.consume({ topics: ["shop-pr-4.orders"], mode: "earliest", autocommit: true });
      for await (const message of stream) {
        assert.equal(message.value, "a cup");
        break;
      }
      for (const topic of ["orders", "shop-pr-42.orders"]) {
        await assert.rejects(producer.send({ messages: [{ topic, value: "x" }] }), topic);
      }
    } finally {
      await consumer.close(true);
      await producer.close();
    }
    await asPreview(values, async (admin) => {
      await admin.createTopics({ topics: ["shop-pr-4.mails"], partitions: 1, replicas: 1 });
      await assert.rejects(admin.createTopics({ topics: ["mails"], partitions: 1, replicas: 1 }));
      await assert.rejects(admin.deleteTopics({ topics: ["shop-pr-42.orders"] }));
      const topics = await admin.listTopics();
      assert.deepEqual(topics.sort(), ["shop-pr-4.mails", "shop-pr-4.orders"]);
    });
    for (const stack of ["shop-pr-4", "shop-pr-42"]) await kafkaPart.revoke(options, stack);
  });

  it("leaves no user, right, group or topic of it, and touches nothing else", async () => {
    const values = await granted(options, grantee("shop-pr-6", "word", ["orders", "mails"]));
    await granted(options, grantee("shop-pr-66", "word", ["orders"]));
    const kinds = (await kafkaPart.list(options, "shop-pr-6")).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["kafka user", "kafka ACLs", "kafka topic", "kafka topic"]);
    assert.ok(await kafkaPart.holds(options, "shop-pr-6"));
    await kafkaPart.revoke(options, "shop-pr-6");
    await kafkaPart.revoke(options, "shop-pr-6");
    assert.deepEqual(await kafkaPart.list(options, "shop-pr-6"), []);
    assert.equal(await kafkaPart.holds(options, "shop-pr-6"), false);
    await assert.rejects(asPreview(values, (admin) => admin.listTopics()));
    assert.ok(await kafkaPart.holds(options, "shop-pr-66"));
    assert.deepEqual(
      (await kafkaPart.list(options)).map(({ stack }) => stack),
      ["shop-pr-66"],
    );
    await kafkaPart.revoke(options, "shop-pr-66");
  });

  it("tells every broker that its application is led on to, also those that are not asked first", async () => {
    const [first = ""] = kafka.brokers;
    const { addresses } = await kafkaPart.grant({ ...options, brokers: [first] }, grantee("shop-pr-3"));
    assert.deepEqual(addresses, [...kafka.brokers].sort());
    await kafkaPart.revoke(options, "shop-pr-3");
  });

  it("ends an earlier password, and takes rights back that somebody added", async () => {
    const before = await granted(options, grantee("shop-pr-7", "first"));
    const administrator = { username: kafka.username, password: kafka.password };
    await asPreview(administrator, (admin) =>
      admin.createAcls({
        creations: [
          {
            resourceType: 2,
            resourceName: "orders",
            resourcePatternType: 3,
            principal: "User:stackling-shop-pr-7",
            host: "*",
            operation: 3,
            permissionType: 3,
          },
        ],
      }),
    );
    assert.equal(await kafkaPart.holds(options, "shop-pr-7"), false);
    const now = await granted(options, grantee("shop-pr-7", "second"));
    assert.ok(await kafkaPart.holds(options, "shop-pr-7"));
    await assert.rejects(asPreview(before, (admin) => admin.listTopics()));
    assert.deepEqual(await asPreview(now, (admin) => admin.listTopics()), []);
    await kafkaPart.revoke(options, "shop-pr-7");
  });

  it("leaves no login of the way that previews logged in before", async () => {
    const before = await granted(options, grantee("shop-pr-8", "first"));
    const changed = { ...options, previews: "SCRAM-SHA-256" as const };
    await granted(changed, grantee("shop-pr-8", "second"));
    await assert.rejects(asPreview(before, (admin) => admin.listTopics()));
    await kafkaPart.revoke(changed, "shop-pr-8");
    assert.deepEqual(await kafkaPart.list(options, "shop-pr-8"), []);
  });

  it("tells in words who is away or refuses, with no password in them", async () => {
    const values = await granted(options, grantee("shop-pr-9", "hush"));
    const told = (other: Partial<typeof options>) =>
      kafkaPart.list({ ...options, ...other }).then(
        () => "",
        (error: Error) => error.message,
      );
    assert.match(await told({ brokers: ["127.0.0.1:1"] }), /Kafka does not answer/);
    assert.match(await told({ username: "nobody" }), /refuses its administrator|breaks off its administrator/);
    process.env[PASSWORD] = "hush";
    const words = await told({ username: values.username ?? "" });
    process.env[PASSWORD] = kafka.password;
    assert.match(words, /refuses its administrator/);
    assert.doesNotMatch(words, /hush/);
    await kafkaPart.revoke(options, "shop-pr-9");
  });
});
