/** The Kafka broker of `tools/kafkalab`: built once per user, started per suite. */
import { z } from "zod";
import { goLab } from "./go-lab.ts";

export interface Kafkalab {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly mechanism: "SCRAM-SHA-512";
  /** Of its administrator. */
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

const lab = goLab({ name: "kafkalab", building: "building a Kafka broker for tests with Go (once)" });
const line = z.object({
  brokers: z.array(z.string()),
  mechanism: z.literal("SCRAM-SHA-512"),
  username: z.string(),
  password: z.string(),
});

export async function startKafkalab(): Promise<Kafkalab> {
  const { told, stop } = await lab.start();
  return { ...line.parse(told), stop };
}
