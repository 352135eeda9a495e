/** Where an AWS account is and who we are in it, chosen by the operator and never found by accident. */
import { userInfo } from "node:os";
import { join } from "node:path";
import {
  createCredentialChain,
  fromContainerMetadata,
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromTemporaryCredentials,
  fromTokenFile,
} from "@aws-sdk/credential-providers";
import { TerminalError } from "../errors.ts";
import type { Account } from "./account-shape.ts";

export { type Account, accountShape } from "./account-shape.ts";

/** Region, credentials and endpoint as the SDK's clients take them. Throws `TerminalError` (`TargetInvalid`) for a variable that is not set. */
export function clientSettings(account: Account) {
  const { region, assumeRole, endpoint } = account;
  // An address of the operator's own is taken as it is; the SDK puts words before some hosts.
  const place = { region, ...(endpoint !== undefined && { endpoint, disableHostPrefix: true }) };
  const own = ownCredentials(account);
  const credentials = assumeRole
    ? fromTemporaryCredentials({
        masterCredentials: own,
        params: {
          RoleArn: assumeRole.arn,
          RoleSessionName: assumeRole.sessionName,
          ...(assumeRole.externalId !== undefined && { ExternalId: assumeRole.externalId }),
        },
        clientConfig: place,
      })
    : own;
  return { ...place, credentials, maxAttempts: 5 };
}

function ownCredentials({ credentials }: Account) {
  if (credentials === "instance") {
    return createCredentialChain(fromTokenFile(), fromHttp(), fromContainerMetadata(), fromInstanceMetadata());
  }
  if ("profile" in credentials) {
    const { config, secrets } = profileFiles(credentials);
    return fromIni({ profile: credentials.profile, configFilepath: config, filepath: secrets });
  }
  const keys = accessKeys(credentials);
  return async () => keys;
}

/** Not below HOME: engines run with one of their own. */
export function profileFiles({ folder = join(userInfo().homedir, ".aws") }: { readonly folder?: string }) {
  return { config: join(folder, "config"), secrets: join(folder, "credentials") };
}

export type KeyReferences = Extract<Account["credentials"], { readonly accessKeyId: unknown }>;

/** The values behind the references. Throws `TerminalError` (`TargetInvalid`) for one that is not set. */
export function accessKeys({ accessKeyId, secretAccessKey, sessionToken }: KeyReferences) {
  return {
    accessKeyId: fromEnvironment(accessKeyId.env),
    secretAccessKey: fromEnvironment(secretAccessKey.env),
    ...(sessionToken && { sessionToken: fromEnvironment(sessionToken.env) }),
  };
}

function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new TerminalError({
    reason: "TargetInvalid",
    userMessage: `signing in at AWS: environment variable "${name}" is not set`,
  });
}
