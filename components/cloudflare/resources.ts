/** Only what is used, by its own module: the whole SDK takes seconds to load. */
export { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
export { Provider } from "@pulumi/cloudflare/provider.js";
