import { secret } from "@pulumi/pulumi";
import type { Settings } from "./settings.ts";

/** Installs Stackling where the settings say, with the text of its `stackling.yaml`; loads that cloud's vendor only. */
export async function install(
  { kubernetes, aws, ...common }: Settings,
  configuration: string,
): Promise<Readonly<Record<string, unknown>>> {
  const shared = {
    ...common,
    configuration,
    secrets: secret(common.secrets),
    secretNames: Object.keys(common.secrets).sort(),
  };
  if (aws) {
    const { AwsPlatform } = await import("./aws.ts");
    const { createAwsProvider } = await import("../../components/aws/provider.ts");
    const { account, ...rest } = aws;
    const provider = createAwsProvider("account", account, {});
    return new AwsPlatform("stackling", { ...shared, ...rest, region: account.region }, { provider }).outputs;
  }
  const { KubernetesPlatform, createCluster } = await import("./kubernetes.ts");
  const { kubeconfig, context, ...rest } = kubernetes;
  const provider = createCluster("cluster", { kubeconfig, context });
  return new KubernetesPlatform("stackling", { ...shared, ...rest }, { provider }).outputs;
}
