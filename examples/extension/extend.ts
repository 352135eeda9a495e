import type { Extension } from "stackling/infra/program";

export const extend: Extension = ({ spec, service }) => ({
  note: service.addresses.apply((addresses) => `${spec.stack} runs ${Object.keys(addresses).join(", ")}`),
});
