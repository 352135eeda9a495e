/** Registries of images, as an operator names them. */
import { z } from "zod";

export const registryHost = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/, 'must be a host such as "ghcr.io", without https://');

export const registry = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:\/[a-z0-9._-]+)*$/,
    'must be a host or the start of a name, such as "ghcr.io/acme", without https://',
  );
