/** Flag definitions as a file in each pod of a service. */
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import type { CustomResourceOptions, Resource } from "@pulumi/pulumi";
import { hash } from "./names.ts";
import { FLAGS_FILE } from "./pods.ts";

export interface DeclaredFlags {
  /** Name of the ConfigMap. */
  readonly name: string;
  readonly resource: Resource;
}

/** Its name holds a hash of the content, so that other flags roll the pods and the version that serves keeps its own. */
export function declareFlags(
  text: string,
  {
    namespace,
    childName,
    inside,
  }: { readonly namespace: string; readonly childName: string; readonly inside: CustomResourceOptions },
): DeclaredFlags {
  const name = `flags-${hash(text)}`;
  const data = { [FLAGS_FILE]: text };
  return { name, resource: new ConfigMap(childName, { metadata: { namespace, name }, data, immutable: true }, inside) };
}
