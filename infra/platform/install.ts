import type { Input } from "@pulumi/pulumi";

/** Where the container listens. */
export const PORT = 4000;
/** As the image's USER. */
export const USER = 1000;
/** `serve` ends what runs within 45 s. */
export const GRACE_SECONDS = 60;

/** What both clouds are told about the installation. */
export interface InstallArgs {
  /** By version or digest. */
  readonly image: string;
  readonly domain: string;
  readonly replicas: number;
  /** Text of `stackling.yaml`. */
  readonly configuration: string;
  /** Secret. By the environment variable that holds them. */
  readonly secrets: Input<Record<string, string>>;
  readonly secretNames: readonly string[];
}
