/** A user with ACLs and a prefix per preview on a Kafka cluster of many. */
import { checkKafka, type KafkaOptions, kafkaKinds, kafkaOptions, kafkaPart } from "../kafka/part.ts";
import type { BackingDriver } from "../ports.ts";
import { backingDriver } from "./declare.ts";

export const kafkaBacking: BackingDriver<KafkaOptions> = backingDriver({
  kind: "kafka",
  type: "stackling:backing:Kafka",
  options: kafkaOptions,
  part: kafkaPart,
  kinds: kafkaKinds,
  gives: ["brokers", "username", "password", "mechanism", "protocol", "prefix"],
  placedBy: ["brokers"],
  check: checkKafka,
  example: () => ({
    options: {
      brokers: ["kafka.acme.dev:9093"],
      tls: true,
      username: "admin",
      password: { env: "STACKLING_TEST_KAFKA_PASSWORD" },
      mechanism: "SCRAM-SHA-512",
      previews: "SCRAM-SHA-512",
      partitions: 1,
      replicas: 1,
    },
    topics: ["orders"],
    generation: 0,
  }),
});
