/**
 * What the provider behind `@pulumi/kubernetes` says when it fails, in our words. The only place that
 * matches its text and the API server's inside it; most failures are met before it by our own questions.
 */
import { StacklingError, TerminalError } from "../errors.ts";

/** Undefined for a text that is none of it. Pure; knows no SDK. */
export function kubernetesFailure(action: string, text: string): StacklingError | undefined {
  for (const { pattern, tell } of PATTERNS) {
    const match = pattern.exec(text);
    if (match) return tell(action, match);
  }
  return undefined;
}

const PATTERNS: readonly {
  readonly pattern: RegExp;
  readonly tell: (action: string, match: RegExpExecArray) => StacklingError;
}[] = [
  {
    pattern: /(?:configured )?Kubernetes cluster is unreachable|unable to load schema information from the API server/i,
    tell: (action) =>
      new StacklingError({ reason: "TargetUnreachable", userMessage: `${action}: the cluster cannot be reached` }),
  },
  {
    // Of any vendor's provider, which all say it in Go's words or in Node's.
    pattern:
      /dial tcp [^\n]*(?:connection refused|i\/o timeout|no route to host|no such host)|TLS handshake timeout|: fetch failed/i,
    tell: (action) =>
      new StacklingError({
        reason: "TargetUnreachable",
        userMessage: `${action}: the API of its target cannot be reached`,
      }),
  },
  {
    pattern: /(?:User )?"[^"\n]*" cannot \w+ resource "[^"\n]*"[^\n:;]*/,
    tell: (action, [words]) => new TerminalError({ reason: "TargetForbidden", userMessage: `${action}: ${words}` }),
  },
  {
    pattern: /exceeded quota: [^\n]*/,
    tell: (action, [words]) =>
      new StacklingError({ reason: "QuotaExceeded", userMessage: `${action}: the preview's quota is full (${words})` }),
  },
  {
    pattern: /because it is being terminated/,
    tell: (action) =>
      new StacklingError({
        reason: "NamespaceTerminating",
        userMessage: `${action}: its last namespace is still going`,
      }),
  },
  {
    // The cluster lacks what an option or a secret store asks for.
    pattern: /no matches for kind "(?<kind>ExternalSecret|HTTPRoute)"|kind: \S* ?(?<other>ExternalSecret|HTTPRoute)/,
    tell: (action, { groups }) => {
      const kind = groups?.kind ?? groups?.other ?? "";
      const needs = kind === "HTTPRoute" ? "the Gateway API" : "the External Secrets Operator";
      const userMessage = `${action}: the cluster lacks ${needs} ("${kind}"); install it there first`;
      return new TerminalError({ reason: "TargetInvalid", userMessage });
    },
  },
];
