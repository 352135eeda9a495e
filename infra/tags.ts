/**
 * The one place that knows how our tags are written at each vendor. No component sets a tag by hand; the
 * transform is registered on the stack of each run and on nothing else.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type ResourceTransformArgs, type ResourceTransformResult, runtime } from "@pulumi/pulumi";
import type { Tags } from "../components/ports.ts";

const COMMENT_MAX = 100;

type Properties = Readonly<Record<string, unknown>>;

/**
 * Called first thing in the program; several inline programs in one process keep theirs apart. The stack's
 * name is the tag `stack`: by it a driver knows whose a thing is.
 */
export function registerTags(given: Tags, stack: string): void {
  const tags = { ...given, stack };
  const inProgram = AsyncLocalStorage.snapshot();
  runtime.registerResourceTransform(async (resource) => {
    const changed = tagged(resource, tags);
    return changed && { ...changed, props: await inProgram(sealed, changed.props) };
  });
}

/**
 * The properties as they go to the engine. The SDK writes them outside the program's context, where it takes the
 * engine for one without secrets, and would hand them all over as plain text, to lie so in the state.
 */
function sealed(props: Properties): Promise<Properties> {
  return runtime.serializeProperties("props", props);
}

/** The resource with our tags in its vendor's form; undefined where the vendor has no place for them. */
export function tagged(resource: ResourceTransformArgs, tags: Tags): ResourceTransformResult | undefined {
  const form = forms.find(({ types }) => types.test(resource.type));
  return form && { props: form.write(resource.props, tags), opts: undecided(resource) };
}

/**
 * The SDK tells a wish for `deleteBeforeReplace` that nobody has as `false`, which would overrule the vendor's provider
 * where names are fixed. Our own resources take over what bears their name, so that it need not go first.
 */
function undecided({ type, opts }: ResourceTransformArgs): ResourceTransformResult["opts"] {
  if (OWN.test(type) || !("deleteBeforeReplace" in opts) || opts.deleteBeforeReplace) return opts;
  const { deleteBeforeReplace: _nobodys, ...others } = opts;
  return others;
}

const OWN = /^stackling:local:/;

/** First match wins. A property that is there already keeps its own entries beside ours; ours win. */
const forms: readonly { readonly types: RegExp; readonly write: (props: Properties, tags: Tags) => Properties }[] = [
  { types: OWN, write: (props, tags) => ({ ...props, tags: { ...record(props.tags), ...tags } }) },
  {
    types: /^pulumi:providers:aws$/,
    write: (props, tags) => {
      // A provider's nested properties go to the engine as JSON: @pulumi/aws, provider.js.
      const own = typeof props.defaultTags === "string" ? record(JSON.parse(props.defaultTags)) : {};
      const ours = prefixed(awsTags(tags), "stackling:");
      return { ...props, defaultTags: JSON.stringify({ ...own, tags: { ...record(own.tags), ...ours } }) };
    },
  },
  {
    types: /^kubernetes:/,
    write: (props, tags) => {
      const metadata = record(props.metadata);
      const labels = { ...record(metadata.labels), ...kubernetesLabels(tags) };
      const annotations = { ...record(metadata.annotations), ...prefixed(tags, "stackling.dev/") };
      return { ...props, metadata: { ...metadata, labels, annotations } };
    },
  },
  {
    types: /^cloudflare:index\/(dnsR|r)ecord:(DnsR|R)ecord$/,
    write: (props, tags) => ({ ...props, comment: comment(tags) }),
  },
];

/** Tag values are at most 256 letters, digits, spaces and `_.:/=+-@`: AWS docs, "Tag naming limits and requirements". */
function awsTags(tags: Tags): Tags {
  const value = (text: string) => text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]+/gu, "-").slice(0, 256);
  return Object.fromEntries(Object.entries(tags).map(([key, text]) => [value(key), value(text)]));
}

/** Label values are at most 63 of `[A-Za-z0-9._-]`, alphanumeric at both ends: Kubernetes docs, "Labels and Selectors". */
function kubernetesLabels(tags: Tags): Record<string, string> {
  const value = (text: string) =>
    text
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .slice(0, 63)
      .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
  return prefixed(Object.fromEntries(Object.entries(tags).map(([key, text]) => [key, value(text)])), "stackling.dev/");
}

/**
 * `stackling:<stack>`, by which a sweep knows a record for ours, then as many whole tags as fit: Cloudflare
 * takes 100 characters on its free plan (docs, "Record comments and tags"), and stack names have at most 63.
 */
function comment({ stack, ...tags }: Tags): string {
  const entries = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return entries.reduce(
    (text, entry) => (text.length + entry.length < COMMENT_MAX ? `${text} ${entry}` : text),
    `stackling:${stack ?? ""}`,
  );
}

function prefixed(tags: Tags, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [prefix + key, value]));
}

function record(value: unknown): Properties {
  return typeof value === "object" && value !== null ? (value as Properties) : {};
}
