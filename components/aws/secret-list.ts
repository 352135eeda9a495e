import { ListSecretsCommand } from "@aws-sdk/client-secrets-manager";
import type { Clients } from "./clients.ts";

/** Names of our secrets, at most ten; asked by `doctor`. */
export async function listSecrets({ secrets }: Pick<Clients, "secrets">): Promise<readonly string[]> {
  const Filters = [{ Key: "name" as const, Values: ["stackling/"] }];
  const { SecretList = [] } = await secrets.send(new ListSecretsCommand({ MaxResults: 10, Filters }));
  return SecretList.flatMap(({ Name = [] }) => Name);
}
