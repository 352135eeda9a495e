/** `pulumi up` in this folder installs Stackling; the stack's config says where, see settings.ts. */
import { readFile } from "node:fs/promises";
import { Config, getStack, runtime } from "@pulumi/pulumi";
import { tagged } from "../tags.ts";
import { install } from "./program.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings(new Config().requireObject("settings"));
const tags = { platform: getStack() };
runtime.registerResourceTransform((resource) => tagged(resource, tags));

/** Where people find the service, and what `stackling.yaml` may be told. */
export const platform = await install(settings, await readFile(settings.configuration, "utf8"));
