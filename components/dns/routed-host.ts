import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { PreviewComponent } from "../preview-component.ts";

/**
 * A host that is led to its service without anything of its own in the world. It tells whoever watches the
 * engine that the host's services are there.
 */
export class RoutedHost extends PreviewComponent {
  readonly host: Output<string>;

  constructor(name: string, host: string, opts: ComponentResourceOptions) {
    super("stackling:dns:RoutedHost", name, {}, opts);
    this.host = this.urn.apply(() => host);
    this.registerOutputs({ host: this.host });
  }
}
