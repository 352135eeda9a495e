/** Which resources can bear tags, and where each vendor's stand. */
import { type Properties, parsed, recordOf } from "./values.ts";

/** Every form ends in the preview's own tag. */
const forms: readonly { readonly types: RegExp; readonly read: (props: Properties) => unknown }[] = [
  { types: /^stackling:local:/, read: ({ tags }) => recordOf(tags).preview },
  {
    // Everything that AWS can tag gets the provider's default tags.
    types: /^pulumi:providers:aws$/,
    read: ({ defaultTags }) => recordOf(recordOf(parsed(defaultTags)).tags)["stackling:preview"],
  },
  {
    types: /^kubernetes:/,
    read: ({ metadata }) => recordOf(recordOf(metadata).labels)["stackling.dev/preview"],
  },
  {
    types: /^cloudflare:index\/(dnsR|r)ecord:(DnsR|R)ecord$/,
    read: ({ comment }) => /^stackling:\S/.exec(String(comment ?? "")),
  },
];

export function isTaggable(type: string): boolean {
  return forms.some(({ types }) => types.test(type));
}

export function isOurs(type: string, props: Properties): boolean {
  const value = forms.find(({ types }) => types.test(type))?.read(props);
  return value !== undefined && value !== null && value !== "";
}
